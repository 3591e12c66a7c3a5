"""The first records of a FASTQ file, read in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

EXAMPLE_LENGTH = 40
MAX_LINE_BYTES = 1 << 20  # bwa mem is made for reads of up to a million bases


class UnusableReads(Exception):
    """The error of a file that the alignment step would refuse; its message is for the user."""


class FastqHead(NamedTuple):
    """The first lines of a FASTQ file.

    Attributes:
        lines: The lines, without line ends.
        is_whole: Whether the file has no more.
    """

    lines: list[bytes]
    is_whole: bool


def head_of(stream: BinaryIO, records: int, budget_bytes: int) -> FastqHead:
    """Return the first records of a decompressed file; fewer where the file or the budget ends.

    Args:
        stream: The file, at its beginning.
        records: The number of records.
        budget_bytes: No record begins behind so many bytes of the others.

    Raises:
        UnusableReads: for a line of more than `MAX_LINE_BYTES`.
    """
    lines = list(_lines(stream, 4 * records, budget_bytes))
    is_cut = len(lines) % 4 == 0 and bool(stream.readline(1))
    return FastqHead(lines, not is_cut)


def _lines(stream: BinaryIO, number: int, budget_bytes: int) -> Iterator[bytes]:
    """Yield the first lines of a stream, as long as they are records within the budget."""
    total = 0
    for place in range(number):
        if total > budget_bytes and place % 4 == 0:
            return
        line = stream.readline(MAX_LINE_BYTES + 1)
        if not line:
            return
        if len(line) > MAX_LINE_BYTES:
            most = f"{MAX_LINE_BYTES >> 20} MiB (bwa mem aligns reads of up to a million bases)"
            expected = f"expected lines of at most {most}, found one: {example(line)}"
            raise UnusableReads(f"record {place // 4 + 1}: {expected}")
        total += len(line)
        yield line.rstrip(b"\r\n")


def example(line: bytes) -> str:
    """Return the beginning of a line, quoted, for a message."""
    return repr(line[:EXAMPLE_LENGTH].decode("latin-1").encode("ascii", "replace").decode())
