"""The flags of mates: pybwa 2.3 aligns pairs as pairs, but of the flags that bwa gives them it loses four.

Mates are properly paired where they lie to each other as is usual in their batch, and what is usual bwa tells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pysam
from alignments import FLAG, MEMORY, SIZE, Alignments
from bwa import unknown

ORIENTATIONS = (b"FF", b"FR", b"RF", b"RR")  # in bwa's order; read 1's strand is F
_TOLD = re.compile(rb"orientation ([FR]{2})|for proper pairs: \((\d+), (\d+)\)")
_NONE = range(0)

FIRST, SECOND, PROPER = pysam.FREAD1, pysam.FREAD2, pysam.FPROPER_PAIR
REVERSE, MATE_REVERSE = pysam.FREVERSE, pysam.FMREVERSE
UNMAPPED, MATE_UNMAPPED = pysam.FUNMAP, pysam.FMUNMAP


def usual(told: bytes) -> list[range]:
    """For each orientation, the distances of mates that bwa took for usual.

    Args:
        told: What it told of a batch. It names an orientation once more where it thinks better of it.

    >>> usual(b"skip orientation FF as; analyzing orientation FR...; for proper pairs: (7, 63); "
    ...       b"skip orientation RF as; skip orientation RR as")
    [range(0, 0), range(7, 64), range(0, 0), range(0, 0)]
    """
    found: dict[bytes, range] = {}
    named = b""
    for orientation, low, high in _TOLD.findall(told):
        named = orientation or named
        found[named] = _NONE if orientation else range(int(low), int(high) + 1)
    if found.keys() != set(ORIENTATIONS):
        raise unknown("statistics")
    return [found[orientation] for orientation in ORIENTATIONS]


def complete(reads: Sequence[Alignments], limits: Sequence[range]) -> None:
    """Set the missing flags of one batch.

    Args:
        reads: The alignments of each read; mates follow each other.
        limits: See `usual`.
    """
    for first, second in zip(reads[::2], reads[1::2], strict=True):
        flag, size = MEMORY[(first[0] >> 3) + FLAG], MEMORY[(first[0] >> 3) + SIZE]
        behind = (size > 0) == bool(flag & REVERSE)  # the mate, as this read goes
        orientation = (flag >> 4 ^ flag >> 5) & 1 ^ (3 if behind else 0)
        proper = PROPER if abs(size) - 1 in limits[orientation] else 0
        for alignment in first:
            MEMORY[(alignment >> 3) + FLAG] |= FIRST | proper
        for alignment in second:
            MEMORY[(alignment >> 3) + FLAG] |= SECOND | proper
        if flag & (UNMAPPED | MATE_UNMAPPED):
            _turn([*first, *second])


def _turn(alignments: Sequence[int]) -> None:
    """A mate that lies nowhere is given the strand of the read it is put beside."""
    for alignment in alignments:
        place = (alignment >> 3) + FLAG
        if MEMORY[place] & (REVERSE | UNMAPPED | MATE_UNMAPPED) == REVERSE | MATE_UNMAPPED:
            MEMORY[place] |= MATE_REVERSE
