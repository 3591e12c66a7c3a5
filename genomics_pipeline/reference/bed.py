"""BED files against the contigs of a reference: each line that a caller would refuse, or read otherwise than meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, Problem, did_you_mean
from genomics_pipeline.stores.compression import open_decompressed, reported_damage
from genomics_pipeline.stores.protocol import Store

_NO_REGION = (b"track", b"browser")  # first words of lines for genome browsers
_PIECE_BYTES = 1 << 16
NAMED_CONTIGS = 24  # of a reference that a message may list


def bed_problems(uri: str, store: Store, contigs: Mapping[str, int]) -> Iterator[Problem]:
    """Yield the problems of a BED file, plain or gzip, line by line; at most as many as its budget says.

    Args:
        uri: The file, which exists.
        store: The store of the file.
        contigs: The length of each contig of the reference, by name.

    Raises:
        OSError: if the file cannot be read.
    """
    regions, problems, number = 0, 0, 0
    try:
        for number, line in enumerate(_lines(uri, store), 1):
            if not _is_region(line):
                continue
            regions += 1
            if message := _misfit(line.decode("utf-8", "backslashreplace"), contigs):
                problems += 1
                yield Problem(message, uri, number)
            if problems >= budgets.BED_ERRORS.value:
                yield Problem(f"found {budgets.BED_ERRORS} up to here; the rest was not checked", uri, number)
                return
    except DataError as error:
        yield from (Problem(one.message, uri, number + 1) for one in error.problems)
        return
    if not regions:
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
    """Yield the lines of a file, without their ends.

    Raises:
        DataError: for a file or a line that is too long, and damaged compressed content.
    """
    rest, size = b"", 0
    with store.open(uri) as stored, reported_damage():
        stream = open_decompressed(stored)
        while piece := stream.read(_PIECE_BYTES):
            size += len(piece)
            if size > budgets.BED_SIZE.value:
                raise DataError(f"expected a BED file of at most {budgets.BED_SIZE}, decompressed, found more")
            *lines, rest = (rest + piece).split(b"\n")
            yield from (line.removesuffix(b"\r") for line in _short(lines))
            _short([rest])
    if rest:
        yield rest.removesuffix(b"\r")


def _short(lines: Iterable[bytes]) -> Iterable[bytes]:
    """Return the lines.

    Raises:
        DataError: for one that is longer than its budget.
    """
    for line in lines:
        if len(line) > budgets.BED_LINE.value:
            raise DataError(f"expected lines of at most {budgets.BED_LINE}, found a longer one; is this a BED file?")
    return lines


def _misfit(line: str, contigs: Mapping[str, int]) -> str | None:
    """Return what is wrong with the line of a region, or None."""
    fields = _fields(line)
    if len(fields) < 3 or not all(_is_number(field.strip()) for field in fields[1:3]):
        return f"expected contig, start and end between tabs, found {line[:60]!r}"
    contig, start, end = fields[0], int(fields[1]), int(fields[2])
    if contig not in contigs:
        return f"expected a contig of the reference, found {contig!r}; {_hint(contig, contigs)}"
    if not start < end <= contigs[contig]:
        return f"expected 0 <= start < end <= {contigs[contig]}, the length of {contig}, found {start} and {end}"
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _hint(contig: str, contigs: Mapping[str, int]) -> str:
    """Return the contig that may be meant, also if only the prefix ``chr`` differs."""
    for other in (f"chr{contig}", contig.removeprefix("chr")):
        if other in contigs:
            return f"did you mean {other!r}?"
    return (
        did_you_mean(contig, list(contigs))
        if len(contigs) <= NAMED_CONTIGS
        else f"the reference has {len(contigs):,} contigs"
    )
