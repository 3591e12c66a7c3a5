"""BED files against the contigs of a reference: each line that a caller would refuse, or read otherwise than meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.reference.contig_names import contig_hint
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.text_lines import TextKind, line_problems, text_lines

_NO_REGION = (b"track", b"browser")  # first words of lines for genome browsers


def bed_problems(uri: str, store: Store, contigs: Mapping[str, int]) -> Iterator[Problem]:
    """Yield the problems of a BED file, plain or gzip, line by line; at most as many as its budget says.

    Args:
        uri: The file, which exists.
        store: The store of the file.
        contigs: The length of each contig of the reference, by name.

    Raises:
        OSError: if the file cannot be read.
    """
    regions = 0

    def misfit(line: bytes) -> str | None:
        nonlocal regions
        if not _is_region(line):
            return None
        regions += 1
        return _misfit(line.decode("utf-8", "backslashreplace"), contigs)

    fits = yield from line_problems(uri, _lines(uri, store), misfit, budgets.BED_ERRORS)
    if fits and not regions:
        yield Problem("expected regions (contig, start and end between tabs), found none", uri)


def read_bed(uri: str, store: Store) -> Iterator[tuple[str, int, int]]:
    """Yield the regions of a BED file without problems, each as contig, start and end, counted from 0.

    Raises:
        DataError: for a file that cannot be read.
    """
    for line in _lines(uri, store):
        if _is_region(line):
            contig, start, end, *_ = _fields(line.decode("utf-8", "backslashreplace"))
            yield contig, int(start), int(end)


def _is_region(line: bytes) -> bool:
    text = line.strip()
    return bool(text) and not text.startswith(b"#") and text.split(None, 1)[0] not in _NO_REGION


def _fields(line: str) -> list[str]:
    return line.split("\t") if "\t" in line else line.split()


def _lines(uri: str, store: Store) -> Iterator[bytes]:
    return text_lines(uri, TextKind("BED", budgets.BED_SIZE, budgets.BED_LINE), store)


def _misfit(line: str, contigs: Mapping[str, int]) -> str | None:
    """Return what is wrong with the line of a region, or None."""
    fields = _fields(line)
    if len(fields) < 3 or not all(_is_number(field.strip()) for field in fields[1:3]):
        return f"expected contig, start and end between tabs, found {line[:60]!r}"
    contig, start, end = fields[0], int(fields[1]), int(fields[2])
    if contig not in contigs:
        return f"expected a contig of the reference, found {contig!r}; {contig_hint(contig, contigs)}"
    if not start < end <= contigs[contig]:
        return f"expected 0 <= start < end <= {contigs[contig]}, the length of {contig}, found {start} and {end}"
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
