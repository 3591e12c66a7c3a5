"""Checks of BAM and CRAM files by their headers and ends, before a run: format, sample, order and reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.reference.alignment_header import AlignmentHeader, read_alignment_header
from genomics_pipeline.reference.dictionary import dict_digests
from genomics_pipeline.reference.index_kinds import INDEX_KINDS
from genomics_pipeline.runs.given_files import READERS, RequiredFile, reads
from genomics_pipeline.stores.protocol import Store

KINDS = ("bam", "cram")  # columns of a sheet
FileProblem = tuple[RequiredFile, Problem]


def alignment_files(samples: Iterable[Sample]) -> list[RequiredFile]:
    """Return the BAM and CRAM files of samples."""
    return [file for file in reads(samples) if file.column in KINDS]


def header_problems(files: Iterable[RequiredFile], sheet: str, store: Store) -> Iterator[FileProblem]:
    """Yield the files that cannot be used, whatever the reference is, each with its problem, in their order.

    Args:
        files: BAM and CRAM files, which exist.
        sheet: The path or URI of the sheet, for messages.
        store: The store of the files.
    """
    yield from _problems(files, sheet, store, lambda file: header_problem(file, store))


def reference_problems(
    files: Iterable[RequiredFile], sheet: str, store: Store, contigs: Mapping[str, int], digests: Mapping[str, str]
) -> Iterator[FileProblem]:
    """Yield the files that do not fit a reference, each with its problem; none of those that cannot be used anyway.

    Args:
        files: BAM and CRAM files, which exist.
        sheet: The path or URI of the sheet, for messages.
        store: The store of the files.
        contigs: The length of each contig of the reference in bp, by name, in order.
        digests: Their MD5s by name; the others are not compared.
    """

    def check(file: RequiredFile) -> str | None:
        if not (file.as_aligned or file.column == "cram"):  # reads of BAM files are decoded without a reference
            return None
        header = _read(file, store)
        if isinstance(header, str) or _content_problem(header, file):
            return None
        return header.other_reference(contigs, digests) if file.as_aligned else header.lacking_contig(contigs)

    yield from _problems(files, sheet, store, check)


def reference_digests(fasta: str, store: Store) -> dict[str, str]:
    """Return the MD5s of a reference's sequences by name, from the dictionary beside it; none without one.

    Args:
        fasta: The path or URI of the FASTA file.
        store: The store of the dictionary.
    """
    (dictionary,) = INDEX_KINDS["dict"].beside(fasta)
    return dict_digests(store.read(dictionary).decode("latin-1").splitlines()) if store.stat(dictionary) else {}


def header_problem(file: RequiredFile, store: Store) -> str | None:
    """Return why a file cannot be used for its sample, whatever the reference is; None if its header shows no reason.

    Args:
        file: A BAM or CRAM file.
        store: The store that reads it.
    """
    header = _read(file, store)
    return header if isinstance(header, str) else _content_problem(header, file)


def _read(file: RequiredFile, store: Store) -> AlignmentHeader | str:
    """Return the header of a file, or why it cannot be read."""
    kind = file.column or ""
    try:
        if store.stat(file.uri) is None:
            return f"expected a {kind.upper()} file, found no such file"
        return read_alignment_header(file.uri, kind, store)
    except DataError as error:
        return error.problems[0].message.removeprefix(f"{file.uri}: ")
    except OSError as error:
        return f"expected a readable file: {error.strerror or error}"


def _content_problem(header: AlignmentHeader, file: RequiredFile) -> str | None:
    sample = file.sample or ""
    if header.is_whole is False:
        return f"expected a whole {(file.column or '').upper()} file, found no last block (EOF): it is cut off"
    return header.sample_problem(sample) or (header.aligned_problem(sample) if file.as_aligned else None)


def _problems(
    files: Iterable[RequiredFile], sheet: str, store: Store, check: Callable[[RequiredFile], str | None]
) -> Iterator[FileProblem]:
    some = list(files)

    def problem(file: RequiredFile) -> FileProblem | None:
        message = check(file)
        found = f"{file.user}: {file.uri}: {message}"
        return (file, Problem(found, sheet, file.line, file.column)) if message else None

    if some:
        store.stat(some[0].uri)  # makes the client of S3, which threads must not make at the same time
    with ThreadPoolExecutor(READERS) as readers:
        yield from filter(None, readers.map(problem, some))
