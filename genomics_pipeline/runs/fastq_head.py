"""The first records of a FASTQ file, read in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.compression import open_decompressed, reported_damage
from genomics_pipeline.stores.protocol import Store

MAX_LINE_BYTES = 8 << 20  # as in the alignment step: twice the longest read so far
MAX_HEAD_BYTES = 64 << 20
EXAMPLE_LENGTH = 20


def head_lines(uri: str, store: Store, records: int) -> list[bytes]:
    """Return the lines of a file's first records, without line ends; fewer where they are longer than 64 MiB in all.

    Raises:
        DataError: if the file does not exist or cannot be read, is damaged, or has a line longer than 8 MiB.
    """
    try:
        with store.open(uri) as raw, reported_damage():
            return list(_lines(open_decompressed(raw), 4 * records))
    except OSError as error:
        raise DataError(f"expected a readable file: {error.strerror or error}") from None


def _lines(stream: BinaryIO, number: int) -> Iterator[bytes]:
    """Yield the first lines of a stream, as long as they are whole records within `MAX_HEAD_BYTES`."""
    total = 0
    for place in range(number):
        if total > MAX_HEAD_BYTES and place % 4 == 0:
            return
        line = stream.readline(MAX_LINE_BYTES + 1)
        if not line:
            return
        if len(line) > MAX_LINE_BYTES:
            example = line[:EXAMPLE_LENGTH]
            record = place // 4 + 1
            raise DataError(f"record {record}: expected lines of at most 8 MiB, found one that begins with {example!r}")
        total += len(line)
        yield line.rstrip(b"\r\n")
