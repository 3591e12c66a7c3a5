"""The indexes of a reference beside it, or with it in a folder or below a prefix: checked, built, moved into place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.index_order import IndexOrder
from genomics_pipeline.reference.alternate_contigs import alt_file
from genomics_pipeline.reference.copies import find_alt, find_index, is_clean_copy, is_gzip
from genomics_pipeline.reference.gzi import HEAD_BYTES, gzi, is_bgzip
from genomics_pipeline.reference.index_kinds import (
    IndexKind,
    find_mismatch,
    find_stale,
    required_kinds,
)
from genomics_pipeline.reference.index_needs import needs, refuse_short_memory
from genomics_pipeline.reference.index_text import size_problem
from genomics_pipeline.reference.prepare import prepare, prepare_copy
from genomics_pipeline.stores.checksum import file_sha256
from genomics_pipeline.stores.given_file import stat_given
from genomics_pipeline.stores.protocol import Expected, ObjectInfo, Publication, Store
from genomics_pipeline.stores.real_parents import follow_parents

GZI = "gzi"  # a kind of the compressed file, which no step reads
LEAST_RATIO = 3  # of the sizes of a FASTA file, plain and gzip
CHUNK_BYTES = 1 << 20
ELSEWHERE = "remove them, or name another folder by --out"


@dataclass(frozen=True, slots=True)
class BuildMemory:
    """The memory for the building, and the advice where it is too little.

    Attributes:
        mib: The memory in MiB.
        advice: What to do for a kind that takes more.
    """

    mib: int
    advice: str


@dataclass(frozen=True, slots=True)
class PlacedIndex:
    """An index in its place.

    Attributes:
        kind: The name of its kind; ``fasta`` for the copy of the reference.
        files: The paths or URIs of its files.
        built: False if they were there.
    """

    kind: str
    files: tuple[str, ...]
    built: bool


class PlacedReference:
    """A FASTA file and where the files of its indexes belong.

    Args:
        order: The indexes that are wanted.
        store: The store of all files.
        cache: The user's cache folder.

    Raises:
        DataError: if there is no such file, or it is compressed by another program than gzip.
    """

    def __init__(self, order: IndexOrder, store: Store, cache: Path) -> None:
        self.order, self.store, self.cache = order, store, cache
        self.info = stat_given(order.reference, store)
        self.is_compressed = is_gzip(order.reference, store)
        self.has_gzi = self.is_compressed and order.out is None and self._is_bgzip()
        self.in_place = order.out is None and not self.is_compressed and "://" not in order.reference
        self.prepare = partial(prepare if self.in_place else prepare_copy, order.reference)

    def _is_bgzip(self) -> bool:
        with self.store.open(self.order.reference) as file:
            return is_bgzip(file.read(HEAD_BYTES))

    @property
    def kinds(self) -> list[IndexKind]:
        """Return the kinds that are wanted, and those that they need."""
        return required_kinds(name for name in self.order.kinds if name != GZI)

    @property
    def least_bytes(self) -> int:
        """Return the size that the plain FASTA file has at least."""
        return self.info.size_bytes * (LEAST_RATIO if self.is_compressed else 1)

    def targets(self, kind: IndexKind) -> list[str]:
        """Return the paths or URIs of the files of an index: beside ``x.fa.gz``, ``x.dict``, the others ``x.fa.gz.*``.

        So programs that read the compressed file find them.
        """
        fasta = self.order.fasta
        return kind.beside(fasta.removesuffix(".gz") if kind.name == "dict" else fasta)

    def present(self, kind: IndexKind) -> list[ObjectInfo]:
        """Return the files of an index that are there; of an incomplete one, those that are."""
        if self.order.out is None and (found := find_index(self.info, kind, self.store)):
            return found
        return [info for uri in self.targets(kind) if (info := self.store.stat(uri))]

    def is_complete(self, kind: IndexKind) -> bool:
        """Return whether all files of an index are there."""
        return len(self.present(kind)) == len(kind.suffixes)


def place_indexes(
    order: IndexOrder, store: Store, cache: Path, memory: BuildMemory, note: Callable[[str], None]
) -> list[PlacedIndex]:
    """Build the indexes that are missing, and move each into its place when it is complete.

    Files that are there are compared with the reference, and never replaced. A process that is interrupted leaves
    complete indexes only; in S3, where files appear one by one, the same order completes them.

    Args:
        order: The indexes that are wanted, and where.
        store: The store of all files.
        cache: The user's cache folder, for copies of references that are compressed or remote.
        memory: The memory.
        note: Shows a line of progress.

    Returns:
        The indexes in their places, and the copy of the reference where one was wanted.

    Raises:
        DataError: with all files of another reference; if memory is short; for a reference that cannot be used.
    """
    reference = PlacedReference(order, store, cache)
    missing = [kind for kind in reference.kinds if not reference.is_complete(kind)]
    if missing:
        _check_target(reference, missing)
        refuse_short_memory(order.reference, missing, reference.least_bytes, memory.mib, memory.advice)
    fasta = _plain(reference, note)
    if problems := list(_other_indexes(reference, fasta)):
        raise DataError(problems)
    size = fasta.stat().st_size
    refuse_short_memory(order.reference, missing, size, memory.mib, memory.advice)
    if missing:
        names = ", ".join(kind.name for kind in missing)
        note(f"index: {names} of {order.reference}: {needs(missing, size)}; found {memory.mib:,} MiB of memory")
    # The reference first, so that its indexes are not older, which would have to be compared with all of it.
    placed = _place_copy(reference, fasta, note) if order.out is not None else []
    placed += [_place(reference, kind, kind in missing, note) for kind in reference.kinds]
    return placed + ([_place_gzi(reference, note)] if GZI in order.kinds else [])


def _check_target(reference: PlacedReference, missing: Sequence[IndexKind]) -> None:
    """Refuse a folder of this machine that cannot be written to, or has parts of the indexes that are missing.

    Raises:
        DataError: with all problems.
    """
    folder = reference.store.local(reference.order.fasta) if "://" not in reference.order.fasta else None
    if folder is None:
        return
    folder = folder.parent
    if reference.order.out is None and not os.access(folder, os.W_OK):
        message = "expected a folder that can be written to, found none; name another by --out"
        raise DataError(Problem(message, str(folder)))
    problems = []
    for kind in missing:
        if found := reference.present(kind):
            message = f"expected all files of the index for {kind.name} or none, found only {_names(found)}"
            problems.append(Problem(f"{message}; {ELSEWHERE}", found[0].uri))
    if problems:
        raise DataError(problems)


def _names(files: Sequence[ObjectInfo]) -> str:
    return ", ".join(PurePosixPath(file.uri).name for file in files)


def _plain(reference: PlacedReference, note: Callable[[str], None]) -> Path:
    """Return the checked, plain FASTA file on this machine, with its ``.fai``.

    Raises:
        DataError: if its indexes cannot lie beside it.
    """
    uri = reference.order.reference
    fasta = reference.prepare(["fai"], reference.store, reference.cache, note)
    is_other = reference.in_place and fasta != Path(follow_parents(str(Path(uri).absolute())))
    if reference.order.out is None and (is_other or is_clean_copy(fasta)):
        why = "lines of one length and without blanks, and a .fai of it or none"
        raise DataError(Problem(f"expected {why}; a folder that --out names gets a copy with both", uri))
    return fasta


def _other_indexes(reference: PlacedReference, fasta: Path) -> Iterator[Problem]:
    """Yield a problem for each complete index that is of another file."""
    for kind in reference.kinds:
        files = reference.present(kind)
        if len(files) == len(kind.suffixes) and (message := _mismatch(reference, fasta, kind, files)):
            yield Problem(f"{message}; {ELSEWHERE}", files[0].uri)


def _mismatch(reference: PlacedReference, fasta: Path, kind: IndexKind, files: Sequence[ObjectInfo]) -> str | None:
    """Return the difference between an index and the FASTA file; None if they match.

    Args:
        reference: The reference.
        fasta: Its plain file on this machine, with ``.fai``.
        kind: The kind of index.
        files: Its files.
    """
    size = fasta.stat().st_size
    for file in files:
        if message := size_problem(PurePosixPath(file.uri).name, file.size_bytes, size):
            return message
    with TemporaryDirectory(prefix="index-", dir=reference.cache) as name:
        folder = Path(name)
        link = folder / fasta.name
        link.symlink_to(fasta)
        (folder / f"{fasta.name}.fai").symlink_to(f"{fasta}.fai")
        for file, target in zip(files, kind.files(link), strict=True):
            fetched = folder / f"fetched-{target.name}"
            fetched.mkdir()
            source = reference.store.fetch(file.uri, fetched, Expected(version=file.version))
            target.unlink(missing_ok=True)  # its own .fai instead of that of the plain file
            target.symlink_to(source)
        is_older = any(file.modified < reference.info.modified for file in files)
        return find_mismatch(link, kind) or (find_stale(link, kind) if is_older else None)


def _place(reference: PlacedReference, kind: IndexKind, is_missing: bool, note: Callable[[str], None]) -> PlacedIndex:
    if not is_missing:
        note(f"index: {kind.name}: it is there, and of this reference")
        return PlacedIndex(kind.name, tuple(file.uri for file in reference.present(kind)), built=False)
    fasta = reference.prepare([kind.name], reference.store, reference.cache, note)
    targets = reference.targets(kind)
    if not reference.in_place:
        _publish(list(zip(kind.files(fasta), targets, strict=True)), reference.store)
    note(f"index: {kind.name}: {', '.join(PurePosixPath(uri).name for uri in targets)} written")
    return PlacedIndex(kind.name, tuple(targets), built=True)


def _place_gzi(reference: PlacedReference, note: Callable[[str], None]) -> PlacedIndex:
    """Write the index of the compressed file.

    Raises:
        DataError: if another is there, or the file is damaged.
    """
    uri = f"{reference.order.reference}.{GZI}"
    with reference.store.open(reference.order.reference) as file:
        content = gzi(file)
    found = reference.store.stat(uri)
    if found is None:
        reference.store.write(uri, content)
    elif found.size_bytes != len(content) or reference.store.read(uri) != content:
        raise DataError(Problem(f"expected the blocks of {reference.order.reference}, found others; {ELSEWHERE}", uri))
    note(f"index: {GZI}: {'it is there, and of this reference' if found else f'{PurePosixPath(uri).name} written'}")
    return PlacedIndex(GZI, (uri,), built=found is None)


def _place_copy(reference: PlacedReference, fasta: Path, note: Callable[[str], None]) -> list[PlacedIndex]:
    """Write the plain FASTA file, and the file that names its alternate contigs, where the indexes will be."""
    order, store = reference.order, reference.store
    alt = Path(alt_file(str(fasta)))
    moves = [(alt, alt_file(order.fasta))] if find_alt(reference.info, store) else []
    moves.append((fasta, order.fasta))
    written = _publish(moves, store)
    if written:
        note(f"index: {', '.join(PurePosixPath(uri).name for uri in written)} written")
    return [PlacedIndex("fasta", tuple(uri for _, uri in moves), built=bool(written))]


def _publish(moves: Sequence[tuple[Path, str]], store: Store) -> list[str]:
    """Copy files to where they belong, unless they are there; return the paths or URIs of those that were not.

    Raises:
        DataError: for each target that is another file.
    """
    present = {uri: found for _, uri in moves if (found := store.stat(uri))}
    problems = [
        Problem(f"expected {file.name} as built of this reference, found another file; {ELSEWHERE}", uri)
        for file, uri in moves
        if uri in present and not _is_same(file, present[uri], store)
    ]
    if problems:
        raise DataError(problems)
    with TemporaryDirectory(prefix="index-") as folder:
        publications = []
        for file, uri in moves:
            if uri not in present:
                link = Path(folder) / PurePosixPath(uri).name
                link.symlink_to(file)  # `publish_all` moves the link, not the file of the cache
                publications.append(Publication(link, uri))
        store.publish_all(publications)
    return [uri for _, uri in moves if uri not in present]


def _is_same(file: Path, found: ObjectInfo, store: Store) -> bool:
    if file.stat().st_size != found.size_bytes:
        return False
    digest = hashlib.sha256()
    with store.open(found.uri) as content:
        while chunk := content.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest() == file_sha256(file)
