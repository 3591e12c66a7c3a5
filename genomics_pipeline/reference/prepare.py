"""The preparation of a reference: a plain FASTA file with indexes, made once for all tasks."""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from tempfile import mkdtemp

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.json_text import is_text
from genomics_pipeline.reference.cache import (
    INDEXING,
    cached_fasta,
    copy_fasta,
    copy_index,
    lock_beside,
    make_cache,
    remove_leftovers,
)
from genomics_pipeline.reference.fasta import check_first_byte
from genomics_pipeline.reference.index_kinds import IndexKind, find_mismatch, required_kinds
from genomics_pipeline.stores.protocol import MissingObject, ObjectInfo, Store
from genomics_pipeline.stores.publish import make_folders, publish_files


def prepare(uri: str, indexes: Collection[str], store: Store, cache: Path) -> Path:
    """Prepare a reference as a local, plain FASTA file with indexes beside it, and return its path.

    A plain local file in a writable folder is indexed in place. Any other file is first copied, decompressed, into the
    cache, with those indexes beside it that are not older than it; missing ones are built. Of several processes that
    call this at once, one works and the others wait.

    Args:
        uri: Path or URI of a FASTA file, plain or gzip.
        indexes: Names of `INDEX_KINDS`; the kinds that they need are made too.
        store: The store of the URI.
        cache: The user's cache folder, see `cache_folder`.

    Raises:
        DataError: if there is no such file, it is no FASTA file, or an index beside it is of another file.
    """
    if not is_text(str(Path(uri).absolute())):
        raise DataError(Problem("expected a path in UTF-8, found other bytes; rename that file or folder", uri))
    info = store.stat(uri)
    if info is None:
        raise MissingObject(uri)
    kinds = required_kinds(indexes)
    fasta = _prepare_in_place(uri, kinds) if "://" not in uri and not uri.endswith(".gz") else None
    return fasta or _prepare_in_cache(info, uri, kinds, store, cache)


def _prepare_in_place(uri: str, kinds: Sequence[IndexKind]) -> Path | None:
    """Index a plain local file in place; return None if its folder is not writable."""
    fasta = Path(posixpath.normpath(Path(uri).absolute()))  # without "..", so that the path is the same in containers
    if not _is_indexed(fasta, kinds) and os.access(fasta.parent, os.W_OK):
        with lock_beside(fasta):
            _build_missing(fasta, kinds, uri)
    if not _is_indexed(fasta, kinds):
        return None
    _refuse_mismatches(fasta, kinds, uri)
    return fasta


def _prepare_in_cache(info: ObjectInfo, uri: str, kinds: Sequence[IndexKind], store: Store, cache: Path) -> Path:
    make_cache(cache)
    fasta = cached_fasta(cache, info)
    if not (fasta.is_file() and _is_indexed(fasta, kinds)):
        make_folders(fasta.parent)
        with lock_beside(fasta):
            remove_leftovers(fasta.parent)
            if not fasta.is_file():
                copy_fasta(info, fasta, store)
            for kind in kinds:
                if not _is_indexed(fasta, [kind]):
                    copy_index(info, fasta, kind, store)
            _build_missing(fasta, kinds, uri)
    _refuse_mismatches(fasta, kinds, uri, are_copies=True)
    return fasta


def _is_indexed(fasta: Path, kinds: Sequence[IndexKind]) -> bool:
    """Return whether indexes exist and are not older than the file."""
    try:
        changed = fasta.stat().st_mtime_ns
        return all(file.stat().st_mtime_ns >= changed for kind in kinds for file in kind.files(fasta))
    except FileNotFoundError:
        return False


def _build_missing(fasta: Path, kinds: Sequence[IndexKind], uri: str) -> None:
    """Build missing indexes in a folder of their own, then move them beside the file."""
    missing = [kind for kind in kinds if not _is_indexed(fasta, [kind])]
    if not missing:
        return
    check_first_byte(fasta, uri)
    folder = Path(mkdtemp(prefix=INDEXING, dir=fasta.parent))
    link = folder / fasta.name
    try:
        link.symlink_to(fasta)
        for kind in missing:
            kind.build(link, uri)
            publish_files(list(zip(kind.files(link), kind.files(fasta), strict=True)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_mismatches(fasta: Path, kinds: Sequence[IndexKind], uri: str, are_copies: bool = False) -> None:
    """Refuse indexes of another file; remove copies from the cache, so that a fixed original is copied again."""
    for kind in kinds:
        if message := find_mismatch(fasta, kind):
            for file in kind.files(fasta) if are_copies else ():
                file.unlink(missing_ok=True)
            index = kind.beside(uri.removesuffix(".gz"))[0]
            raise DataError(Problem(f"{message}; remove it, and it is built anew", index))
