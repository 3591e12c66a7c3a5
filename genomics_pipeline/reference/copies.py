"""Copies of references in the cache: decompressed, checked while they are copied, and clean where tools need that."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.reference.alternate_contigs import ADVICE, alt_file
from genomics_pipeline.reference.cache import COPYING, INDEXING
from genomics_pipeline.reference.clean_copy import CleanCopy
from genomics_pipeline.reference.fasta import CHUNK_BYTES, FastaCheck, FastaChecker
from genomics_pipeline.reference.index_kinds import IndexKind
from genomics_pipeline.reference.index_text import size_problem
from genomics_pipeline.reference.sizes import in_units, refuse_full_disk
from genomics_pipeline.stores.compression import LONGEST_START, compression_of
from genomics_pipeline.stores.gunzip import gunzip
from genomics_pipeline.stores.protocol import Expected, ObjectInfo, Store
from genomics_pipeline.stores.publish import publish_bytes, publish_file, publish_files

USUAL_RATIO = 4  # of the sizes of a FASTA file, plain and gzip
NOTED_BYTES = 10**9
CLEAN = ".clean"  # a file beside a copy with other lines than the original


def is_gzip(uri: str, store: Store) -> bool:
    """Return whether a file is gzip, by its content.

    Raises:
        DataError: for a file of another kind of compression.
    """
    with store.open(uri) as file:
        found = compression_of(file.read(LONGEST_START))
    if found not in (None, "gzip"):
        raise DataError(Problem(f"expected FASTA, plain or gzip, found {found}; decompress it", uri))
    return found == "gzip"


def copy_fasta(info: ObjectInfo, fasta: Path, store: Store, note: Callable[[str], None]) -> None:
    """Copy a FASTA file into the cache; it is visible when it is complete.

    Its modification time is constant, since it is part of the file's version.

    Args:
        info: The file.
        fasta: The path of the copy.
        store: The store of the file.
        note: Shows a line of progress.

    Raises:
        DataError: if it is no FASTA file that can be used, with all problems, or a damaged gzip file.
    """
    with TemporaryDirectory(prefix=COPYING, dir=fasta.parent) as name:
        folder = Path(name)
        part, check = _copy(info, folder, store, note)
        if not check.regular:
            note(f"reference: writing {fasta.name} anew in the cache, with lines of one length and without blanks")
            part = _clean(part, folder / "clean")
            publish_bytes(fasta.parent / CLEAN, b"")
        os.utime(part, (0, 0))
        publish_file(part, fasta)


def is_clean_copy(fasta: Path) -> bool:
    """Return whether a copy has other lines than its original, so that no index of the original fits."""
    return (fasta.parent / CLEAN).exists()


def _copy(info: ObjectInfo, folder: Path, store: Store, note: Callable[[str], None]) -> tuple[Path, FastaCheck]:
    compressed = is_gzip(info.uri, store)
    size = info.size_bytes * (USUAL_RATIO if compressed else 1)
    refuse_full_disk(folder, size, f"the copy of {info.uri}")
    if size > NOTED_BYTES:
        note(f"reference: copying {info.uri} into the cache, {folder.parent}: about {in_units(size, 'B')}")
    fetched = folder / "fetched"
    fetched.mkdir()
    source = store.fetch(info.uri, fetched, Expected(version=info.version))
    part, checker = folder / "part", FastaChecker(info.uri)
    with (
        _gzip_problems(info.uri),
        source.open("rb") as stored,
        part.open("wb") as out,
    ):
        stored_chunks = iter(partial(stored.read, CHUNK_BYTES), b"")
        for chunk in _bounded(gunzip(stored_chunks), info) if compressed else stored_chunks:
            checker.feed(chunk)
            out.write(chunk)
    shutil.rmtree(fetched)
    return part, checker.finish()


def _bounded(content: Iterator[bytes], info: ObjectInfo) -> Iterator[bytes]:
    """Yield a compressed file's content; end with an error if it is a decompression bomb."""
    size = 0
    for chunk in content:
        size += len(chunk)
        if size > max(budgets.FASTA_FIRST_BYTES.value, budgets.FASTA_EXPANSION.value * info.size_bytes):
            found = f"{in_units(info.size_bytes, 'B')} that expand to more than {in_units(size, 'B')}"
            raise DataError(
                Problem(f"expected a file that expands to at most {budgets.FASTA_EXPANSION}, found {found}", info.uri)
            )
        yield chunk


@contextmanager
def _gzip_problems(uri: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error) as error:
        raise DataError(Problem(f"expected a whole gzip file: {error}", uri)) from None


def _clean(part: Path, target: Path) -> Path:
    with part.open("rb") as content, target.open("wb") as out:
        copy = CleanCopy(out)
        while chunk := content.read(CHUNK_BYTES):
            copy.feed(chunk)
        copy.finish()
    part.unlink()
    return target


def copy_index(info: ObjectInfo, fasta: Path, kind: IndexKind, store: Store) -> list[ObjectInfo]:
    """Copy an index from beside the original into the cache, if it is complete.

    For ``x.fa.gz`` that is an index of ``x.fa``, or else one that ``bwa index x.fa.gz`` or ``samtools faidx x.fa.gz``
    has made: it is of the same sequences.

    Args:
        info: The original.
        fasta: Its copy.
        kind: The kind of index.
        store: The store of the original.

    Returns:
        The files that were copied.

    Raises:
        DataError: for a file that is larger than one of an index can be.
    """
    indexes = find_index(info, kind, store)
    size = fasta.stat().st_size
    for index in indexes:
        if message := size_problem(PurePosixPath(index.uri).name, index.size_bytes, size):
            raise DataError(Problem(f"{message}; remove it, and it is built anew", index.uri))
    if indexes:
        _copy_files(indexes, kind.files(fasta), store)
    return indexes


def find_index(info: ObjectInfo, kind: IndexKind, store: Store) -> list[ObjectInfo]:
    """Return the files of an index beside the original; none of an incomplete one. See `copy_index`."""
    for original in _names(info.uri):
        uris = kind.beside(original)
        indexes = [index for index in map(store.stat, uris) if index]
        if len(indexes) == len(uris):
            return indexes
    return []


def find_alt(info: ObjectInfo, store: Store) -> ObjectInfo | None:
    """Return the file that names the alternate contigs of a reference; None if there is none beside it."""
    return next((found for name in _names(info.uri) if (found := store.stat(alt_file(name)))), None)


def copy_alt(alt: ObjectInfo, info: ObjectInfo, fasta: Path, store: Store) -> None:
    """Copy the file that names the alternate contigs into the cache.

    Args:
        alt: The file.
        info: The original of the FASTA file.
        fasta: Its copy.
        store: The store of the original.

    Raises:
        DataError: if it is larger than one can be.
    """
    if message := size_problem(PurePosixPath(alt.uri).name, alt.size_bytes, info.size_bytes):
        raise DataError(Problem(f"{message}; {ADVICE}", alt.uri))
    _copy_files([alt], [Path(alt_file(str(fasta)))], store)


def _names(uri: str) -> list[str]:
    """Return the names that files beside a reference may begin with: without ``.gz`` and with it."""
    return list(dict.fromkeys((uri.removesuffix(".gz"), uri)))


def _copy_files(sources: list[ObjectInfo], targets: list[Path], store: Store) -> None:
    with TemporaryDirectory(prefix=INDEXING, dir=targets[0].parent) as folder:
        copies = [Path(folder) / target.name for target in targets]
        for source, copy in zip(sources, copies, strict=True):
            with copy.open("wb") as out:
                store.download(source.uri, out, Expected(version=source.version))
        publish_files(list(zip(copies, targets, strict=True)))
