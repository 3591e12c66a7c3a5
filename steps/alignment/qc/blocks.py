"""The parts of the reference that records cover, from their CIGARs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pysam
from numpy.typing import NDArray

from qc.batches import FIELDS, Batch, values_at

# By number of the operation, MIDNSHP=X (SAM specification, 4.2).
_ON_REFERENCE = np.array([1, 0, 1, 1, 0, 0, 0, 1, 1] + [0] * 7, np.int64)
_ON_READ = np.array([1, 1, 0, 0, 1, 0, 0, 1, 1] + [0] * 7, np.int64)
_ALIGNED = _ON_REFERENCE * _ON_READ
_SOFT_CLIP, _GAP = 4, 3
_TOGETHER = 16  # operations that are read of all records together, first ones first
MOST_OPERATIONS = (1 << 16) - 1  # of a record; each second one aligns or inserts a base
_WORD = np.dtype("<u4")  # of an operation
_SIZE_BYTES = 4  # which the size of a record does not count
_VALUE_BYTES = {"A": 1, "c": 1, "C": 1, "s": 2, "S": 2, "i": 4, "I": 4, "f": 4}


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
    for record in _long_cigars(batch, operations):
        operations[record], count[record] = _tagged_cigar(batch, record)
    left = np.flatnonzero(count)
    parts: list[tuple[NDArray[np.int64], ...]] = []
    total = 0
    number = 0
    while left.size and number < _TOGETHER:
        code, length = _operation(batch, operations[left] + 4 * number)
        block = np.flatnonzero(_ALIGNED[code] * length)
        record = left[block]
        parts.append((record, position[record], length[block]))
        total += _sum(batch.data, quality[record], length[block])
        position[left] += _ON_REFERENCE[code] * length
        quality[left] += _ON_READ[code] * length
        number += 1
        left = left[count[left] > number]
    for record in left.tolist():  # of long reads, one at a time, all operations at once
        places = operations[record] + 4 * np.arange(number, count[record])
        code, length = _operation(batch, places)
        starts = position[record] + _before(_ON_REFERENCE[code] * length)
        first = quality[record] + _before(_ON_READ[code] * length)
        block = np.flatnonzero(_ALIGNED[code] * length)
        parts.append((np.full(block.size, record), starts[block], length[block]))
        total += _sum(batch.data, first[block], length[block])
        position[record] += int((_ON_REFERENCE[code] * length).sum())
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] or [np.zeros(0, np.int64)] * 3
    return Blocks(columns[0], columns[1], columns[2], position, total)


def reference_ends(batch: Batch) -> NDArray[np.int64]:
    """Return the end of each record on the reference, which is its position if none of its bases is aligned."""
    operations = batch.starts + FIELDS.itemsize + batch.fields["name_bytes"]
    count = batch.fields["operations"].astype(np.int64)
    ends = batch.fields["position"].astype(np.int64)
    for record in _long_cigars(batch, operations):
        operations[record], count[record] = _tagged_cigar(batch, record)
    count[batch.fields["flag"] & pysam.FUNMAP != 0] = 0
    left = np.flatnonzero(count)
    number = 0
    while left.size and number < _TOGETHER:
        code, length = _operation(batch, operations[left] + 4 * number)
        ends[left] += _ON_REFERENCE[code] * length
        number += 1
        left = left[count[left] > number]
    for record in left.tolist():
        code, length = _operation(batch, operations[record] + 4 * np.arange(number, count[record]))
        ends[record] += int((_ON_REFERENCE[code] * length).sum())
    return ends


def _before(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sum of all lengths before each."""
    return np.cumsum(lengths) - lengths


def _long_cigars(batch: Batch, operations: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the records whose CIGAR is in the tag CG, as it has too many operations (SAM specification, 4.2.2).

    Args:
        batch: The records.
        operations: The place of the first operation of each.
    """
    two = np.flatnonzero((batch.fields["operations"] == 2) & (batch.fields["bases"] > MOST_OPERATIONS // 2))
    if not two.size:
        return two
    code, length = _operation(batch, operations[two])
    next_code, _ = _operation(batch, operations[two] + 4)
    found: NDArray[np.int64] = two[(code == _SOFT_CLIP) & (length == batch.fields["bases"][two]) & (next_code == _GAP)]
    return found


def _tagged_cigar(batch: Batch, record: int) -> tuple[int, int]:
    """Return the place and the number of the operations in a record's tag CG; its own ones if it has none."""
    fields, start = batch.fields[record], int(batch.starts[record])
    operations = start + FIELDS.itemsize + int(fields["name_bytes"])
    place = operations + 8 + (int(fields["bases"]) + 1) // 2 + int(fields["bases"])
    data, end = batch.data, start + _SIZE_BYTES + int(fields["size"])
    while place < end:
        name, kind = bytes(data[place : place + 2]), chr(data[place + 2])
        value = place + 3
        if kind in "ZH":
            place = value + bytes(data[value:end]).index(0) + 1
        elif kind == "B":
            count = int(data[value + 1 : value + 5].view("<u4")[0])
            if name == b"CG":
                return value + 5, count
            place = value + 5 + count * _VALUE_BYTES[chr(data[value])]
        else:
            place = value + _VALUE_BYTES[kind]
    return operations, 2


def _operation(batch: Batch, places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the code and the length of the operation at each place."""
    words = values_at(batch.data, places, _WORD).astype(np.int64)
    return words & 15, words >> 4


def _sum(data: NDArray[np.uint8], begins: NDArray[np.int64], lengths: NDArray[np.int64]) -> int:
    """Return the sum of the bytes in parts that follow each other, none of them empty."""
    if not len(begins):
        return 0
    borders = np.column_stack((begins, begins + lengths)).ravel()
    data = data[: borders[-1]]  # the last part ends with the data
    return int(np.add.reduceat(data, borders[:-1], dtype=np.uint32)[::2].sum(dtype=np.int64))
