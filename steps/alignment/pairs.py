"""The flags of mates: pybwa 2.3 aligns mates as pairs, but loses four of the flags that bwa sets.

Mates are properly paired if their distance is within the limits of their batch, which bwa prints. Mates with one
alignment each must also be closer to the average than what bwa prefers to leave unpaired (mem_sam_pe in bwamem_pair.c).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pysam
from alignments import Alignments
from bwa_layout import FLAG, MEMORY, ORIENTATIONS, SIZE, STATISTICS, unknown_layout
from insert_size import preferred_sizes

FIRST, SECOND, PROPER = pysam.FREAD1, pysam.FREAD2, pysam.FPROPER_PAIR
REVERSE, MATE_REVERSE = pysam.FREVERSE, pysam.FMREVERSE
UNMAPPED, MATE_UNMAPPED = pysam.FUNMAP, pysam.FMUNMAP


class Limits(NamedTuple):
    """The distances at which bwa calls mates of one orientation properly paired, in bp.

    Attributes:
        split: Those of mates of which one has several alignments.
        whole: Those of mates with one alignment each.
    """

    split: range = range(0)
    whole: range = range(0)


def parse_limits(messages: bytes) -> list[Limits]:
    """Return the distances of properly paired mates for each orientation.

    Args:
        messages: bwa's messages about a batch. An orientation that bwa rejects after all is named again.

    >>> parse_limits(b"skip orientation FF as; analyzing orientation FR...; [] mean and std.dev: (35.01, 4.0);"
    ...              b" for proper pairs: (3, 63); skip orientation RF as; skip orientation RR as")[1]
    Limits(split=range(3, 64), whole=range(9, 62))
    """
    limits: dict[bytes, Limits] = {}
    current, average, deviation = b"", 0.0, 0.0
    for orientation, *measured, low, high in STATISTICS.findall(messages):
        if orientation:
            current = orientation
            limits[current] = Limits()
        elif low:
            sizes = range(int(low), int(high) + 1)
            limits[current] = Limits(sizes, preferred_sizes(sizes, average, deviation))
        else:
            average, deviation = map(float, measured)
    if limits.keys() != set(ORIENTATIONS):
        raise unknown_layout("statistics")
    return [limits[orientation] for orientation in ORIENTATIONS]


def set_pair_flags(reads: Sequence[Alignments], limits: Sequence[Limits]) -> None:
    """Set the missing flags of one batch.

    Args:
        reads: The alignments of each read; mates follow each other.
        limits: The limits that `parse_limits` returned.
    """
    for first, second in zip(reads[::2], reads[1::2], strict=True):
        flag, size = MEMORY[(first[0] >> 3) + FLAG], MEMORY[(first[0] >> 3) + SIZE]
        behind = (size > 0) == bool(flag & REVERSE)  # the mate, in the direction of this read
        orientation = (flag >> 4 ^ flag >> 5) & 1 ^ (3 if behind else 0)
        split, whole = limits[orientation]
        proper = PROPER if abs(size) - 1 in (whole if len(first) == len(second) == 1 else split) else 0
        for alignment in first:
            MEMORY[(alignment >> 3) + FLAG] |= FIRST | proper
        for alignment in second:
            MEMORY[(alignment >> 3) + FLAG] |= SECOND | proper
        if flag & (UNMAPPED | MATE_UNMAPPED):
            _set_mate_reverse([*first, *second])


def _set_mate_reverse(alignments: Sequence[int]) -> None:
    """Give an unmapped mate the strand of the read that it is placed beside."""
    for alignment in alignments:
        word = (alignment >> 3) + FLAG
        if MEMORY[word] & (REVERSE | UNMAPPED | MATE_UNMAPPED) == REVERSE | MATE_UNMAPPED:
            MEMORY[word] |= MATE_REVERSE
