"""The parts of the reference that records cover, from their CIGARs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qc.batches import FIELDS, Batch

# By number of the operation, MIDNSHP=X (SAM specification, 4.2).
_ON_REFERENCE = np.array([1, 0, 1, 1, 0, 0, 0, 1, 1] + [0] * 7, np.int64)
_ON_READ = np.array([1, 1, 0, 0, 1, 0, 0, 1, 1] + [0] * 7, np.int64)
_ALIGNED = _ON_REFERENCE * _ON_READ


class Blocks(NamedTuple):
    """Runs of aligned bases.

    Attributes:
        record: The number of each run's record in its batch.
        start: Its first position on the reference.
        length: Its length.
        ends: The end of each record, one for each of the batch.
        qualities: The sum of all qualities of aligned bases.
    """

    record: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    ends: NDArray[np.int64]
    qualities: int


def aligned_blocks(batch: Batch) -> Blocks:
    """Return the runs of aligned bases of all records; deletions and skipped parts are none of them."""
    fields = batch.fields
    operations = batch.starts + FIELDS.itemsize + fields["name_bytes"]
    count = fields["operations"].astype(np.int64)
    quality = operations + 4 * count + (fields["bases"].astype(np.int64) + 1) // 2  # two bases in a byte
    position = fields["position"].astype(np.int64)
    left = np.flatnonzero(count)
    parts: list[tuple[NDArray[np.int64], ...]] = []
    total = 0
    number = 0
    while left.size:
        code, length = _operation(batch, operations[left] + 4 * number)
        block = np.flatnonzero(_ALIGNED[code] * length)
        record = left[block]
        parts.append((record, position[record], length[block]))
        total += _sum(batch.data, quality[record], length[block])
        position[left] += _ON_REFERENCE[code] * length
        quality[left] += _ON_READ[code] * length
        number += 1
        left = left[count[left] > number]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] or [np.zeros(0, np.int64)] * 3
    return Blocks(columns[0], columns[1], columns[2], position, total)


def _operation(batch: Batch, places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the code and the length of the operation at each place."""
    words = batch.data[places[:, None] + np.arange(4)].view("<u4")[:, 0].astype(np.int64)
    return words & 15, words >> 4


def _sum(data: NDArray[np.uint8], begins: NDArray[np.int64], lengths: NDArray[np.int64]) -> int:
    """Return the sum of the bytes in parts that follow each other, none of them empty."""
    if not len(begins):
        return 0
    borders = np.column_stack((begins, begins + lengths)).ravel()
    if borders[-1] == len(data):
        borders = borders[:-1]  # the last part ends with the data
    return int(np.add.reduceat(data, borders, dtype=np.uint32)[::2].sum(dtype=np.int64))
