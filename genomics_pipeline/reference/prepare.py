"""The preparation of a reference: a checked, plain FASTA file with indexes, made once for all tasks."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.json_text import is_text
from genomics_pipeline.reference.alternate_contigs import alt_file, refuse_other_alt
from genomics_pipeline.reference.build import build_indexes
from genomics_pipeline.reference.cache import cached_fasta, lock_beside, make_cache, remove_leftovers
from genomics_pipeline.reference.cache_content import hold
from genomics_pipeline.reference.checked import check_once, lock_of
from genomics_pipeline.reference.copies import (
    NOTED_BYTES,
    copy_alt,
    copy_fasta,
    copy_index,
    find_alt,
    find_index,
    is_clean_copy,
    is_gzip,
)
from genomics_pipeline.reference.fai import read_contigs
from genomics_pipeline.reference.fasta import CHUNK_BYTES, FastaChecker
from genomics_pipeline.reference.index_kinds import IndexKind, find_mismatch, find_stale, required_kinds
from genomics_pipeline.reference.sizes import in_units
from genomics_pipeline.stores.given_file import stat_given
from genomics_pipeline.stores.protocol import ObjectInfo, Store
from genomics_pipeline.stores.publish import make_folders
from genomics_pipeline.stores.real_parents import follow_parents

REGULAR, IRREGULAR = "regular", "irregular"
SAME = ""  # the verdict on an index of the same bases


def _ignore(text: str) -> None:
    """Show nothing."""


def prepare(
    uri: str, indexes: Collection[str], store: Store, cache: Path, note: Callable[[str], None] = _ignore
) -> Path:
    """Prepare a reference as a local, plain FASTA file with indexes beside it, and return its path.

    The file is checked first. A plain local file in a writable folder is indexed in place, unless indexes of another
    content are beside it, which stay as they are. Any other file is copied, decompressed, into the cache, with those
    indexes beside it that fit; missing ones are built. Of several processes that call this at once, one works and the
    others wait.

    Args:
        uri: Path or URI of a FASTA file, plain or gzip.
        indexes: Names of `INDEX_KINDS`; the kinds that they need are made too.
        store: The store of the URI.
        cache: The user's cache folder, see `cache_folder`.
        note: Shows a line of progress.

    Raises:
        DataError: if there is no such file, it is no FASTA file that all steps can use, with all problems, or an index
            beside it is of another file.
    """
    info, kinds = _given(uri, store, cache), required_kinds(indexes)
    in_place = "://" not in uri and not is_gzip(uri, store)
    fasta = _prepare_in_place(uri, kinds, cache, note) if in_place else None
    return fasta or _prepare_in_cache(info, uri, kinds, store, cache, note)


def prepare_copy(
    uri: str, indexes: Collection[str], store: Store, cache: Path, note: Callable[[str], None] = _ignore
) -> Path:
    """Prepare a reference in the cache, where `prepare` would index it in place, too; see there."""
    return _prepare_in_cache(_given(uri, store, cache), uri, required_kinds(indexes), store, cache, note)


def _given(uri: str, store: Store, cache: Path) -> ObjectInfo:
    """Return the file that is given, and make the cache."""
    if not is_text(str(Path(uri).absolute())):
        raise DataError(Problem("expected a path in UTF-8, found other bytes; rename that file or folder", uri))
    info = stat_given(uri, store)
    make_cache(cache)
    return info


def is_prepared(uri: str, indexes: Collection[str], store: Store, cache: Path) -> bool:
    """Return whether a reference has all its indexes, in place or in the cache, so that `prepare` builds none.

    Args:
        uri: See `prepare`.
        indexes: See `prepare`.
        store: See `prepare`.
        cache: See `prepare`.
    """
    info, kinds = stat_given(uri, store), required_kinds(indexes)
    if "://" not in uri and not is_gzip(uri, store) and _is_complete(Path(uri), kinds):
        return True
    return _is_complete(cached_fasta(cache, info, find_alt(info, store)), kinds)


def find_prepared(uri: str, indexes: Collection[str], store: Store, cache: Path) -> Path:
    """Return the path of the reference of a task: one of this machine that is prepared, or else it is prepared now.

    Args:
        uri: The path that `prepare` returned, or a URI.
        indexes: See `prepare`.
        store: See `prepare`.
        cache: See `prepare`.

    Raises:
        DataError: see `prepare`.
    """
    fasta, kinds = Path(uri), required_kinds(indexes)
    if "://" in uri or not _is_complete(fasta, kinds):
        return prepare(uri, indexes, store, cache)
    _refuse_mismatches(fasta, kinds, uri)
    return fasta


def _prepare_in_place(uri: str, kinds: Sequence[IndexKind], cache: Path, note: Callable[[str], None]) -> Path | None:
    """Index a plain local file in place; return None if it cannot be used there."""
    fasta = Path(follow_parents(str(Path(uri).absolute())))
    if check_once(cache, "fasta", [fasta], lambda: _check(fasta, uri, note)) == IRREGULAR:
        return None
    with lock_of(cache, fasta):
        if not _build(fasta, [kind for kind in kinds if kind.name == "fai"], uri, note):
            return None
        if not all(_is_usable(fasta, kind, uri, cache, note) for kind in kinds):
            return None
        if not _build(fasta, kinds, uri, note):
            return None
    _refuse_mismatches(fasta, kinds, uri)
    refuse_other_alt(fasta, {contig.name for contig in read_contigs(fasta)}, alt_file(uri))
    return fasta


def _check(fasta: Path, uri: str, note: Callable[[str], None]) -> str:
    """Check all of a FASTA file and return whether its lines are regular."""
    if (size := fasta.stat().st_size) > NOTED_BYTES:
        note(f"reference: checking {uri} ({in_units(size, 'B')}), once")
    checker = FastaChecker(uri)
    with fasta.open("rb") as content:
        while chunk := content.read(CHUNK_BYTES):
            checker.feed(chunk)
    return REGULAR if checker.finish().regular else IRREGULAR


def _build(fasta: Path, kinds: Sequence[IndexKind], uri: str, note: Callable[[str], None]) -> bool:
    """Build the kinds of which a file is missing; return False if the folder is not writable."""
    missing = [kind for kind in kinds if not all(file.exists() for file in kind.files(fasta))]
    if missing and not os.access(fasta.parent, os.W_OK):
        return False
    if missing:
        build_indexes(fasta, missing, uri, note)
    return True


def _is_usable(fasta: Path, kind: IndexKind, uri: str, cache: Path, note: Callable[[str], None]) -> bool:
    """Return False for the user's index files that must neither be used nor replaced.

    Args:
        fasta: The FASTA file, its ``.fai`` beside it.
        kind: The kind of index.
        uri: The name of the FASTA file in messages.
        cache: The user's cache folder.
        note: Shows why they are not used.
    """
    files = kind.files(fasta)
    missing = [file.name for file in files if not file.exists()]
    if len(missing) == len(files):
        return True  # it can be built
    verdict = SAME
    if missing:
        verdict = f"expected {', '.join(missing)} beside it, found none"
    elif _is_older(files, fasta):
        if message := find_mismatch(fasta, kind):
            verdict = f"older than {fasta.name}: {message}"
        else:
            check = f"stale {kind.name}"
            verdict = check_once(cache, check, [fasta, *files], lambda: find_stale(fasta, kind) or SAME)
    if verdict != SAME:
        index = kind.beside(uri)[0]
        note(f"reference: {index}: {verdict}; it stays as it is, and a copy of {fasta.name} is indexed in the cache")
    return verdict == SAME


def _is_older(files: Sequence[Path], fasta: Path) -> bool:
    changed = fasta.stat().st_mtime_ns
    return any(file.stat().st_mtime_ns < changed for file in files)


def _prepare_in_cache(
    info: ObjectInfo,
    uri: str,
    kinds: Sequence[IndexKind],
    store: Store,
    cache: Path,
    note: Callable[[str], None],
) -> Path:
    alt = find_alt(info, store)
    fasta = cached_fasta(cache, info, alt)
    make_folders(fasta.parent)
    hold(fasta.parent, info.uri)
    if not _is_complete(fasta, kinds):
        with lock_beside(fasta):
            remove_leftovers(fasta.parent)
            if not fasta.is_file():
                if alt is not None:
                    copy_alt(alt, info, fasta, store)
                copy_fasta(info, fasta, store, note)
            for kind in kinds:  # the first is .fai, which the checks of the others need
                if not is_clean_copy(fasta):
                    _copy_fitting_index(info, fasta, kind, store, note)
                if kind.name == "fai":
                    _build(fasta, [kind], uri, note)
            _build(fasta, kinds, uri, note)
    _refuse_mismatched_copies(info, fasta, kinds, store)
    if alt is not None:
        refuse_other_alt(fasta, {contig.name for contig in read_contigs(fasta)}, alt.uri)
    return fasta


def _is_complete(fasta: Path, kinds: Sequence[IndexKind]) -> bool:
    return fasta.is_file() and all(file.is_file() for kind in kinds for file in kind.files(fasta))


def _copy_fitting_index(
    info: ObjectInfo, fasta: Path, kind: IndexKind, store: Store, note: Callable[[str], None]
) -> None:
    """Copy an index into the cache, unless it is older than the original and of another content.

    Args:
        info: The original.
        fasta: Its copy.
        kind: The kind of index.
        store: The store of the original.
        note: Shows why it is not used.
    """
    if _is_complete(fasta, [kind]):
        return
    copied = copy_index(info, fasta, kind, store)
    if not any(index.modified < info.modified for index in copied):
        return
    if message := find_mismatch(fasta, kind) or find_stale(fasta, kind):
        for file in kind.files(fasta):
            file.unlink()
        note(f"reference: {copied[0].uri}: older than {info.uri}: {message}; it is built anew in the cache")


def _refuse_mismatches(fasta: Path, kinds: Sequence[IndexKind], uri: str) -> None:
    """Refuse indexes of another file, all at once."""
    problems = [_problem(message, kind.beside(uri)) for kind, message in _mismatches(fasta, kinds)]
    if problems:
        raise DataError(problems)


def _refuse_mismatched_copies(info: ObjectInfo, fasta: Path, kinds: Sequence[IndexKind], store: Store) -> None:
    """Refuse indexes of another file in the cache, all at once; remove them, so that fixed ones are copied again.

    Messages name the files that they are copies of.
    """
    problems = []
    for kind, message in list(_mismatches(fasta, kinds)):
        for file in kind.files(fasta):
            file.unlink(missing_ok=True)
        originals = [] if is_clean_copy(fasta) else find_index(info, kind, store)
        if originals:
            problems.append(_problem(message, [one.uri for one in originals]))
        else:
            advice = "it was removed from the cache; run again, and it is built anew"
            problems.append(Problem(f"{message}; {advice}", str(kind.files(fasta)[0])))
    if problems:
        raise DataError(problems)


def _mismatches(fasta: Path, kinds: Sequence[IndexKind]) -> Iterator[tuple[IndexKind, str]]:
    """Yield the indexes of another file; others are compared with ``.fai``: while that is of another file, it alone."""
    for kind in kinds:
        if message := find_mismatch(fasta, kind):
            yield kind, message
            if kind.name == "fai":
                return


def _problem(message: str, index: Sequence[str]) -> Problem:
    files = "it" if len(index) == 1 else f"{PurePosixPath(index[0]).stem}.{{{','.join(_endings(index))}}}"
    return Problem(f"{message}; remove {files}, and it is built anew", index[0])


def _endings(names: Sequence[str]) -> list[str]:
    return [name.rpartition(".")[2] for name in names]
