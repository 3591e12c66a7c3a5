"""Records of a BAM file, uncompressed, from columns of their fields (SAM specification, 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

_FIXED = Struct("<iiiBBHHHiiii")  # the part of a record before its name, with its size
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
    rests = list(map(b"".join, zip(*columns.parts, strict=True)))
    records = [b""] * (2 * len(rests))
    records[1::2] = rests
    bins = [
        4681 + (start >> 14) & 0xFFFF if start >= 0 and start >> 14 == end - 1 >> 14 else _bin(start, end)
        for start, end in zip(columns.positions, columns.ends, strict=True)
    ]
    records[::2] = map(
        _FIXED.pack,
        [len(rest) + _FIXED.size - 4 for rest in rests],
        columns.sequences,
        columns.positions,
        map(len, columns.parts[0]),
        columns.qualities,
        bins,
        columns.cigar_lengths,
        columns.flags,
        columns.lengths,
        columns.mate_sequences,
        columns.mate_positions,
        columns.template_lengths,
    )
    return b"".join(records)


def _bin(start: int, end: int) -> int:
    """Return the bin of a record (SAM specification, 5.3)."""
    last = max(start, end - 1)
    if start >> 14 == last >> 14:
        return 4681 + (start >> 14) & 0xFFFF if start >= 0 else _NO_POSITION_BIN
    for shift, offset in ((17, 585), (20, 73), (23, 9), (26, 1)):
        if start >> shift == last >> shift:
            return offset + (start >> shift)
    return 0
