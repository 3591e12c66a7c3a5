"""The first records of a FASTQ file, read in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.compression import open_decompressed, reported_damage
from genomics_pipeline.stores.protocol import Store

EXAMPLE_LENGTH = 40


class FastqHead(NamedTuple):
    """The first lines of a FASTQ file.

    Attributes:
        lines: The lines, without line ends.
        is_whole: Whether the file has no more.
    """

    lines: list[bytes]
    is_whole: bool


def read_head(uri: str, store: Store, records: int) -> FastqHead:
    """Return the first records of a file; fewer where the file or the budget of bytes ends.

    Raises:
        DataError: if the file does not exist or cannot be read, is damaged, or has a line beyond the budget.
    """
    try:
        with store.open(uri) as raw, reported_damage():
            return _head(open_decompressed(raw), 4 * records)
    except OSError as error:
        raise DataError(f"expected a readable file: {error.strerror or error}") from None


def _head(stream: BinaryIO, number: int) -> FastqHead:
    lines = list(_lines(stream, number))
    is_cut = len(lines) % 4 == 0 and bool(stream.readline(1))
    return FastqHead(lines, not is_cut)


def _lines(stream: BinaryIO, number: int) -> Iterator[bytes]:
    """Yield the first lines of a stream, as long as they are records within the budget."""
    total = 0
    for place in range(number):
        if total > budgets.FASTQ_HEAD.value and place % 4 == 0:
            return
        line = stream.readline(budgets.FASTQ_LINE.value + 1)
        if not line:
            return
        if len(line) > budgets.FASTQ_LINE.value:
            expected = f"expected lines of at most {budgets.FASTQ_LINE} (bwa mem aligns reads of up to a million bases)"
            raise DataError(f"record {place // 4 + 1}: {expected}, found one: {example(line)}")
        total += len(line)
        yield line.rstrip(b"\r\n")


def example(line: bytes) -> str:
    """Return the beginning of a line, quoted, for a message."""
    return repr(line[:EXAMPLE_LENGTH].decode("latin-1").encode("ascii", "replace").decode())
