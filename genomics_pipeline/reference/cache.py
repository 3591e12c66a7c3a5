"""The cache of references: for each content a folder with a plain FASTA file and its indexes."""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from stat import S_ISDIR
from tempfile import TemporaryDirectory
from typing import BinaryIO

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.json_text import is_text
from genomics_pipeline.reference.index_kinds import IndexKind
from genomics_pipeline.stores.protocol import Expected, ObjectInfo, Store
from genomics_pipeline.stores.publish import publish_file, publish_files

NAME = "genomics-pipeline"  # of the folder of all caches
COPYING, INDEXING = ".copy-", ".index-"  # prefixes of folders for incomplete files


def cache_folder(environment: Mapping[str, str], home: Path | None, temporary: Callable[[], str]) -> Path:
    """Return the folder of a user's caches: XDG_CACHE_HOME (XDG Base Directory Specification), else below the home.

    A user without a home, or with one that cannot be written to, has it in the folder for temporary files.

    Args:
        environment: The environment variables.
        home: The user's home folder; None for a user id without one.
        temporary: Returns the folder for temporary files: ``tempfile.gettempdir``.

    >>> cache_folder({}, None, lambda: "/tmp").name.rpartition("-")[0]
    'genomics-pipeline'
    >>> cache_folder({"XDG_CACHE_HOME": "/tmp/c"}, None, lambda: "/tmp")
    PosixPath('/tmp/c/genomics-pipeline')
    """
    if named := environment.get("XDG_CACHE_HOME"):
        return Path(named) / NAME
    if home is not None and _can_be_made(home / ".cache" / NAME, home):
        return home / ".cache" / NAME
    return Path(temporary()) / f"{NAME}-{os.getuid()}"


def home_if_any(find: Callable[[], Path]) -> Path | None:
    """Return the user's home folder; None for a user id without a name, as containers may have, and without HOME.

    Args:
        find: ``Path.home``.
    """
    try:
        return find()
    except RuntimeError:
        return None


def _can_be_made(folder: Path, home: Path) -> bool:
    """Return whether a folder of a home can be written to, or be made."""
    if not home.is_dir():
        return False
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return os.access(nearest, os.W_OK | os.X_OK)


def make_cache(cache: Path) -> None:
    """Make the folder of a user's caches, for this user alone.

    Call this before anything in the cache is used.

    Raises:
        DataError: if it cannot be made; or if it is below the folder for temporary files, where anybody may make it,
            and another user's.
    """
    advice = "set XDG_CACHE_HOME to a folder of yours that can be written to"
    if not is_text(str(cache)):
        raise DataError(f"{cache}: expected a path in UTF-8, found other bytes; {advice}")
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = cache.lstat()
    except OSError as error:
        raise DataError(f"{cache}: the cache cannot be made: {error.strerror}; {advice}") from None
    is_own = S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    if cache.name != NAME and not is_own:
        raise DataError(f"{cache}: expected your own folder for the cache, found another user's or a link; {advice}")


def cached_fasta(cache: Path, info: ObjectInfo) -> Path:
    """Return the path of a plain FASTA file in the cache; another content has another folder."""
    key = sha256(f"{info.uri}\0{info.version}".encode()).hexdigest()[:24]
    return cache / "references" / key / Path(info.uri.removesuffix(".gz")).name


@contextmanager
def lock_beside(fasta: Path) -> Iterator[None]:
    """Hold the lock of a FASTA file: of several processes that need its indexes at once, one builds them."""
    from filelock import FileLock

    with FileLock(fasta.with_name(f".{fasta.name}.lock")):
        yield


def remove_leftovers(folder: Path) -> None:
    """Remove what killed tasks left in a folder of the cache; its lock must be held."""
    for path in [*folder.glob(f"{COPYING}*"), *folder.glob(f"{INDEXING}*")]:
        shutil.rmtree(path, ignore_errors=True)


def copy_fasta(info: ObjectInfo, fasta: Path, store: Store) -> None:
    """Copy a FASTA file into the cache, decompressed; it is visible when it is complete.

    Its modification time is constant, since it is part of the file's version.

    Raises:
        DataError: if it is a damaged gzip file.
    """
    with TemporaryDirectory(prefix=COPYING, dir=fasta.parent) as folder:
        part = Path(folder) / "part"
        with part.open("wb") as out:
            if info.uri.endswith(".gz"):
                _decompress(store.fetch(info.uri, Path(folder), Expected(version=info.version)), out, info.uri)
            else:
                store.download(info.uri, out, Expected(version=info.version))
        os.utime(part, (0, 0))
        publish_file(part, fasta)


def _decompress(compressed: Path, out: BinaryIO, uri: str) -> None:
    try:
        with gzip.open(compressed) as content:
            shutil.copyfileobj(content, out, 1 << 20)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(Problem(f"expected a whole gzip file: {error}", uri)) from None


def copy_index(info: ObjectInfo, fasta: Path, kind: IndexKind, store: Store) -> None:
    """Copy an index from beside the original into the cache, if it is complete and not older than the original.

    For ``x.fa.gz`` that is an index of ``x.fa``, or else one that ``bwa index x.fa.gz`` or ``samtools faidx x.fa.gz``
    has made: it is of the same sequences.
    """
    for original in dict.fromkeys((info.uri.removesuffix(".gz"), info.uri)):
        uris = kind.beside(original)
        indexes = [index for index in map(store.stat, uris) if index and index.modified >= info.modified]
        if len(indexes) < len(uris):
            continue
        with TemporaryDirectory(prefix=INDEXING, dir=fasta.parent) as folder:
            files = kind.files(fasta)
            copies = [Path(folder) / file.name for file in files]
            for index, copy in zip(indexes, copies, strict=True):
                with copy.open("wb") as out:
                    store.download(index.uri, out, Expected(version=index.version))
            publish_files(list(zip(copies, files, strict=True)))
        return
