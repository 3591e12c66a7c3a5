"""The flags of mates: pybwa 2.3 aligns mates as pairs, but loses four of the flags that bwa sets.

Mates are properly paired if their distance is within the limits of their batch, which bwa prints.
"""

from __future__ import annotations

from collections.abc import Sequence

import pysam
from alignments import Alignments
from bwa_layout import FLAG, MEMORY, ORIENTATIONS, SIZE, STATISTICS, unknown_layout

_NONE = range(0)

FIRST, SECOND, PROPER = pysam.FREAD1, pysam.FREAD2, pysam.FPROPER_PAIR
REVERSE, MATE_REVERSE = pysam.FREVERSE, pysam.FMREVERSE
UNMAPPED, MATE_UNMAPPED = pysam.FUNMAP, pysam.FMUNMAP


def parse_limits(messages: bytes) -> list[range]:
    """Return the distances at which bwa calls mates properly paired, for each orientation.

    Args:
        messages: bwa's messages about a batch. An orientation that bwa rejects after all is named again.

    >>> parse_limits(b"skip orientation FF as; analyzing orientation FR...; for proper pairs: (7, 63); "
    ...              b"skip orientation RF as; skip orientation RR as")
    [range(0, 0), range(7, 64), range(0, 0), range(0, 0)]
    """
    limits: dict[bytes, range] = {}
    current = b""
    for orientation, low, high in STATISTICS.findall(messages):
        current = orientation or current
        limits[current] = _NONE if orientation else range(int(low), int(high) + 1)
    if limits.keys() != set(ORIENTATIONS):
        raise unknown_layout("statistics")
    return [limits[orientation] for orientation in ORIENTATIONS]


def set_pair_flags(reads: Sequence[Alignments], limits: Sequence[range]) -> None:
    """Set the missing flags of one batch.

    Args:
        reads: The alignments of each read; mates follow each other.
        limits: The limits that `parse_limits` returned.
    """
    for first, second in zip(reads[::2], reads[1::2], strict=True):
        flag, size = MEMORY[(first[0] >> 3) + FLAG], MEMORY[(first[0] >> 3) + SIZE]
        behind = (size > 0) == bool(flag & REVERSE)  # the mate, in the direction of this read
        orientation = (flag >> 4 ^ flag >> 5) & 1 ^ (3 if behind else 0)
        proper = PROPER if abs(size) - 1 in limits[orientation] else 0
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
