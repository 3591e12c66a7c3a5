"""Records of a BAM stream in batches, with their fixed fields as columns: no object for each record."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
from bam_stream import Stream, read_header
from common.bgzf_parts import open_bgzf
from numpy.typing import NDArray

READ_BYTES = 1 << 18  # of which all columns fit in the caches; with more, new memory costs more than it saves
_SIZE = Struct("<i")
# The fixed part of a record (SAM specification, 4.2).
FIELDS = np.dtype(
    [
        ("size", "<i4"),
        ("contig", "<i4"),
        ("position", "<i4"),
        ("name_bytes", "u1"),
        ("mapq", "u1"),
        ("bin", "<u2"),
        ("operations", "<u2"),
        ("flag", "<u2"),
        ("bases", "<i4"),
        ("mate_contig", "<i4"),
        ("mate_position", "<i4"),
        ("template", "<i4"),
    ]
)


class Batch(NamedTuple):
    """Records that follow each other.

    Attributes:
        data: The bytes of the records.
        starts: The place of each record in them.
        fields: The fixed fields of each record.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    fields: NDArray[Any]

    def select(self, which: NDArray[Any]) -> Batch:
        """Return some of the records."""
        return Batch(self.data, self.starts[which], self.fields[which])


def read_batches(path: str) -> Iterator[Batch]:
    """Yield the records of a BAM file or pipe, which is read once.

    Raises:
        OSError: if it ends within a record.
    """
    with open_bgzf(path) as stream:
        read_header(stream)
        yield from batches_of(stream, path)


def batches_of(stream: Stream, name: str) -> Iterator[Batch]:
    """Yield the records of a BAM stream whose header has been read.

    Args:
        stream: The stream.
        name: Its name, for messages.

    Raises:
        OSError: if it ends within a record.
    """
    rest = b""
    while block := stream.read(READ_BYTES):
        data = rest + block
        starts, end = _record_starts(data)
        rest = data[end:]
        if starts:
            yield _batch(data, starts, end)
    if rest:
        raise OSError(f"{name}: expected whole BAM records, found one that is cut off")


def _batch(data: bytes, starts: list[int], end: int) -> Batch:
    content = np.frombuffer(data, np.uint8, end)
    places = np.array(starts, np.int64)
    return Batch(content, places, values_at(content, places, FIELDS))


def values_at(data: NDArray[np.uint8], places: NDArray[np.int64], kind: np.dtype[Any]) -> NDArray[Any]:
    """Return the values of a type at places of the data, whatever their alignment in memory."""
    everywhere: NDArray[Any] = np.ndarray(max(0, len(data) - kind.itemsize + 1), kind, data, strides=(1,))
    return everywhere[places]


def _record_starts(data: bytes) -> tuple[list[int], int]:
    """Return the place of each whole record, and the end of the last."""
    starts: list[int] = []
    add, size, place = starts.append, _SIZE.unpack_from, 0
    last = len(data) - _SIZE.size
    while place <= last:
        add(place)
        place += _SIZE.size + size(data, place)[0]
    return starts, starts.pop() if place > len(data) else place
