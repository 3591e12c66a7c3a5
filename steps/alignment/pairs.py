"""The flags of mates: pybwa 2.3 aligns pairs as pairs but loses bwa's first, second and properly-paired flags.

What counts as properly paired is bwa's own rule (bwamem_pair.c, `mem_pestat` and `mem_sam_pe`): mates that face each
other at a distance that is usual in their batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import pysam

LEAST_PAIRS = 10  # MIN_DIR_CNT: fewer tell nothing
OUTLIER_BOUND = 2.0  # of the quartiles' distance, for mean and deviation
MAPPING_BOUND = 3.0  # likewise, for proper pairs
MAX_DEVIATIONS = 4.0  # MAX_STDDEV
UNIQUE_MAPQ = 20

FIRST, SECOND = pysam.FREAD1, pysam.FREAD2
PROPER_FIRST, PROPER_SECOND = FIRST | pysam.FPROPER_PAIR, SECOND | pysam.FPROPER_PAIR
UNMAPPED, REVERSE = pysam.FUNMAP, pysam.FREVERSE

Alignments = list[pysam.AlignedSegment]


@dataclass(frozen=True, slots=True)
class Limits:
    """Shortest and longest usual fragment, in bases."""

    low: int
    high: int


def complete(reads: Sequence[Alignments]) -> None:
    """Set the missing flags of one batch.

    Args:
        reads: The alignments of each read, bwa's primary one first; mates follow each other.
    """
    firsts, seconds = reads[::2], reads[1::2]
    sizes = [_facing_size(first[0], second[0]) for first, second in zip(firsts, seconds, strict=True)]
    unique = [
        size
        for size, first, second in zip(sizes, firsts, seconds, strict=True)
        if size and first[0].mapping_quality >= UNIQUE_MAPQ and second[0].mapping_quality >= UNIQUE_MAPQ
    ]
    limits = usual(sorted(unique))
    for size, first, second in zip(sizes, firsts, seconds, strict=True):
        proper = limits is not None and limits.low <= size <= limits.high
        for record in first:
            record.flag |= PROPER_FIRST if proper else FIRST
        for record in second:
            record.flag |= PROPER_SECOND if proper else SECOND


def usual(sizes: Sequence[int]) -> Limits | None:
    """The limits that bwa takes from a batch's fragment sizes, ascending; None where there are too few.

    >>> usual([400] * 6 + [500] * 6)
    Limits(low=100, high=800)
    """
    if len(sizes) < LEAST_PAIRS:
        return None
    lower, upper = (sizes[int(share * len(sizes) + 0.499)] for share in (0.25, 0.75))
    spread = upper - lower
    inner = [size for size in sizes if lower - OUTLIER_BOUND * spread <= size <= upper + OUTLIER_BOUND * spread]
    mean = sum(inner) / len(inner)
    deviation = sqrt(sum((size - mean) ** 2 for size in inner) / len(inner))
    low = min(lower - MAPPING_BOUND * spread, mean - MAX_DEVIATIONS * deviation)
    high = max(upper + MAPPING_BOUND * spread, mean + MAX_DEVIATIONS * deviation)
    return Limits(max(1, int(low + 0.499)), int(high + 0.499))


def _facing_size(first: pysam.AlignedSegment, second: pysam.AlignedSegment) -> int:
    """The fragment's length in bases where the mates face each other on one sequence, else 0."""
    flag = first.flag
    if (flag | second.flag) & UNMAPPED or not (flag ^ second.flag) & REVERSE:
        return 0
    size: int = first.template_length  # 0 for mates on two sequences
    return abs(size) if (size < 0) == bool(flag & REVERSE) else 0
