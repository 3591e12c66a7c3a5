"""The distribution of fragment sizes, estimated from the first pairs of a lane as bwa mem estimates it.

The percentiles and limits are those of mem_pestat in bwa's bwamem_pair.c.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from alignment_hit import Hit

LEAST_PAIRS = 10  # MIN_DIR_CNT
LEAST_SHARE = 0.05  # MIN_DIR_RATIO, of the pairs of the most frequent orientation
OUTLIERS, MAPPED, DEVIATIONS = 2.0, 3.0, 4.0  # OUTLIER_BOUND, MAPPING_BOUND, MAX_STDDEV
LONGEST_BP = 10_000  # max_ins
# The distance from the average, in standard deviations, up to which bwa prefers two alignments as a pair: its penalty
# of 17 for mates that are none (-U) is then above that of the distance d, -.721 ln(2 erfc(d / sqrt 2)), rounded.
PREFERRED = 6.5497
LEAST_QUALITY = 10  # of reads that are aligned to one place
ORIENTATIONS = ("FF", "FR", "RF", "RR")  # F, R: the strands of the mates from left to right
FACING = 1  # FR


class InsertSize(NamedTuple):
    """The sizes of fragments in bp: average, standard deviation, and the least and greatest of proper pairs."""

    average: float
    deviation: float
    low: int
    high: int

    @property
    def proper(self) -> range:
        """The sizes of proper pairs."""
        return range(self.low, self.high + 1)

    @property
    def rounded(self) -> InsertSize:
        """The distribution as minibwa takes it, in whole bp; it divides by the deviation."""
        return self._replace(average=round(self.average), deviation=max(1, round(self.deviation)))

    @property
    def preferred(self) -> range:
        """The sizes of proper pairs whose mates have one alignment each."""
        return preferred_sizes(self.proper, self.average, self.deviation)


def preferred_sizes(sizes: range, average: float, deviation: float) -> range:
    """Return the sizes that bwa mem prefers to mates without a pair: see `PREFERRED`.

    Args:
        sizes: The sizes of proper pairs.
        average: The average size in bp.
        deviation: The standard deviation.

    >>> preferred_sizes(range(306, 482), 388.14, 12.07)
    range(310, 468)
    """
    distance = PREFERRED * deviation
    return range(max(sizes.start, math.ceil(average - distance)), min(sizes.stop, math.floor(average + distance) + 1))


def orientation_sizes(pairs: Iterable[tuple[Sequence[Hit], Sequence[Hit]]]) -> tuple[list[int], ...]:
    """Return the sizes of the fragments whose two mates have one place each, for each of `ORIENTATIONS`.

    Args:
        pairs: The alignments of each mate.
    """
    sizes: tuple[list[int], ...] = ([], [], [], [])
    for first, second in pairs:
        one, other = _only_place(first), _only_place(second)
        if one is None or other is None or one.contig != other.contig:
            continue
        place, mate_place = (hit.ref_end if hit.reverse else hit.ref_start for hit in (one, other))
        size = abs(place - mate_place)
        if 0 < size <= LONGEST_BP:
            strands = (one.reverse, other.reverse) if place < mate_place else (other.reverse, one.reverse)
            sizes[2 * strands[0] + strands[1]].append(size)
    return sizes


def _only_place(hits: Sequence[Hit]) -> Hit | None:
    places = [hit for hit in hits if not hit.is_secondary]
    return places[0] if len(places) == 1 and places[0].mapq >= LEAST_QUALITY else None


def estimate(sizes: Sequence[int]) -> InsertSize | None:
    """Return the distribution of the sizes of one orientation; None if there are too few.

    >>> estimate([300] * 20 + [5000])
    InsertSize(average=300.0, deviation=0.0, low=300, high=300)
    """
    if len(sizes) < LEAST_PAIRS:
        return None
    ordered = sorted(sizes)
    lower, upper = (ordered[int(share * len(ordered) + 0.499)] for share in (0.25, 0.75))
    spread = upper - lower
    low, high = max(1, int(lower - OUTLIERS * spread + 0.499)), int(upper + OUTLIERS * spread + 0.499)
    usual = [size for size in ordered if low <= size <= high]
    average = sum(usual) / len(usual)
    deviation = math.sqrt(sum((size - average) ** 2 for size in usual) / len(usual))
    low = min(int(lower - MAPPED * spread + 0.499), int(average - DEVIATIONS * deviation + 0.499))
    high = max(int(upper + MAPPED * spread + 0.499), int(average + DEVIATIONS * deviation + 0.499))
    return InsertSize(average, deviation, max(1, low), high)


def other_orientation(sizes: Sequence[Sequence[int]]) -> str | None:
    """Return the orientation of mates that do not face each other, if hardly any do; else None."""
    most = max(range(len(sizes)), key=lambda which: len(sizes[which]))
    if len(sizes[most]) < LEAST_PAIRS or len(sizes[FACING]) >= LEAST_SHARE * len(sizes[most]):
        return None
    return ORIENTATIONS[most]
