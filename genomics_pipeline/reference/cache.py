"""The cache of references: a folder a content, of a plain FASTA file with its indexes."""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.reference.index_kinds import IndexKind
from genomics_pipeline.stores.protocol import Expected, ObjectInfo, Store

COPYING, INDEXING = ".copy-", ".index-"  # prefixes of folders that hold what is not whole yet


def cache_folder(environment: Mapping[str, str], home: Path) -> Path:
    """Return the folder of a user's caches (XDG Base Directory Specification).

    >>> cache_folder({}, Path("/home/ada")), cache_folder({"XDG_CACHE_HOME": "/tmp/c"}, Path("/home/ada"))
    (PosixPath('/home/ada/.cache/genomics-pipeline'), PosixPath('/tmp/c/genomics-pipeline'))
    """
    return Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "genomics-pipeline"


def cached_fasta(cache: Path, info: ObjectInfo) -> Path:
    """Return where the cache has the plain FASTA file of one content: another content has another folder."""
    key = sha256(f"{info.uri}\0{info.version}".encode()).hexdigest()[:24]
    return cache / "references" / key / Path(info.uri.removesuffix(".gz")).name


@contextmanager
def lock_beside(fasta: Path) -> Iterator[None]:
    """Hold the lock of a FASTA file: of many processes that ask for indexes at once, one builds them."""
    from filelock import FileLock

    with FileLock(fasta.with_name(f".{fasta.name}.lock")):
        yield


def remove_leftovers(folder: Path) -> None:
    """Remove what killed tasks began in a folder of the cache, whose lock is held."""
    for path in [*folder.glob(f"{COPYING}*"), *folder.glob(f"{INDEXING}*")]:
        shutil.rmtree(path, ignore_errors=True)


def copy_fasta(info: ObjectInfo, fasta: Path, store: Store) -> None:
    """Copy a FASTA file into the cache, decompressed; it appears only when it is whole.

    Its modification time is fixed, as that is part of what identifies it.

    Raises:
        DataError: if it is a damaged gzip file.
    """
    with TemporaryDirectory(prefix=COPYING, dir=fasta.parent) as place:
        part = Path(place) / "part"
        with part.open("wb") as out:
            if info.uri.endswith(".gz"):
                _unpack(store.fetch(info.uri, Path(place), Expected(version=info.version)), out, info.uri)
            else:
                store.download(info.uri, out, Expected(version=info.version))
        os.utime(part, (0, 0))
        part.replace(fasta)


def _unpack(packed: Path, out: BinaryIO, uri: str) -> None:
    try:
        with gzip.open(packed) as content:
            shutil.copyfileobj(content, out, 1 << 20)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(Problem(f"expected a whole gzip file: {error}", uri)) from None


def copy_index(info: ObjectInfo, fasta: Path, kind: IndexKind, store: Store) -> None:
    """Copy an index that lies beside the original into the cache, if all of it is there and none of it is older.

    Beside ``x.fa.gz`` these are the indexes of ``x.fa``, or else those that ``bwa index x.fa.gz`` and ``samtools
    faidx x.fa.gz`` name after it: they are of the same sequences.
    """
    for original in dict.fromkeys((info.uri.removesuffix(".gz"), info.uri)):
        uris = kind.beside(original)
        found = [each for each in map(store.stat, uris) if each and each.modified >= info.modified]
        if len(found) < len(uris):
            continue
        with TemporaryDirectory(prefix=INDEXING, dir=fasta.parent) as place:
            for each, file in zip(found, kind.files(fasta), strict=True):
                copy = Path(place) / file.name
                with copy.open("wb") as out:
                    store.download(each.uri, out, Expected(version=each.version))
                copy.replace(file)
        return
