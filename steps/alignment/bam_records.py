"""Records of a BAM file, uncompressed, from columns of their fields (SAM specification, 4.2)."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

FIXED_BYTES = 36  # of a record before its name, with its size
_NO_POSITION_BIN = 4680


class Columns(NamedTuple):
    """The fields of records, column by column; numbers of sequences and positions are -1 for none.

    Attributes:
        sequences: Numbers of the reference's sequences.
        positions: The leftmost positions, from 0.
        ends: The positions behind the rightmost.
        qualities: Mapping qualities.
        flags: Flags.
        cigar_lengths: Numbers of CIGAR operations.
        mate_sequences: Numbers of the sequences of the mates.
        mate_positions: Positions of the mates.
        template_lengths: TLEN.
        lengths: Numbers of bases.
        parts: The parts of each record behind its fixed fields, such as all names, then all CIGARs.
    """

    sequences: Sequence[int]
    positions: Sequence[int]
    ends: Sequence[int]
    qualities: Sequence[int]
    flags: Sequence[int]
    cigar_lengths: Sequence[int]
    mate_sequences: Sequence[int]
    mate_positions: Sequence[int]
    template_lengths: Sequence[int]
    lengths: Sequence[int]
    parts: Sequence[Sequence[bytes]]


def bam_bytes(columns: Columns) -> bytes:
    """Return the records; the first of the parts are the names with their NUL."""
    count = len(columns.flags)
    part_lengths = [list(map(len, part)) for part in columns.parts]
    sizes = [FIXED_BYTES - 4 + sum(lengths) for lengths in zip(*part_lengths, strict=True)]
    bins = [
        4681 + (start >> 14) & 0xFFFF if start >= 0 and start >> 14 == end - 1 >> 14 else _bin(start, end)
        for start, end in zip(columns.positions, columns.ends, strict=True)
    ]
    blocks = memoryview(bytearray(FIXED_BYTES * count))
    words = {0: sizes, 1: columns.sequences, 2: columns.positions, 5: columns.lengths}
    words |= {6: columns.mate_sequences, 7: columns.mate_positions, 8: columns.template_lengths}
    _fill(blocks.cast("i"), "i", FIXED_BYTES // 4, words)
    _fill(blocks.cast("H"), "H", FIXED_BYTES // 2, {7: bins, 8: columns.cigar_lengths, 9: columns.flags})
    _fill(blocks, "B", FIXED_BYTES, {12: part_lengths[0], 13: columns.qualities})
    fixed = [blocks[place : place + FIXED_BYTES] for place in range(0, len(blocks), FIXED_BYTES)]
    return b"".join(chain.from_iterable(zip(fixed, *columns.parts, strict=True)))


def _fill(target: memoryview, kind: str, step: int, columns: Mapping[int, Sequence[int]]) -> None:
    for place, values in columns.items():
        target[place::step] = memoryview(array(kind, values))


def _bin(start: int, end: int) -> int:
    """Return the bin of a record (SAM specification, 5.3)."""
    last = max(start, end - 1)
    if start >> 14 == last >> 14:
        return 4681 + (start >> 14) & 0xFFFF if start >= 0 else _NO_POSITION_BIN
    for shift, offset in ((17, 585), (20, 73), (23, 9), (26, 1)):
        if start >> shift == last >> shift:
            return offset + (start >> shift)
    return 0
