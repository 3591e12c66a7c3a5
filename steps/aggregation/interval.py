"""The interval of a task: regions that own the records that start within them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from common.bed import Region as Target

# Normalisation moves an indel left, sometimes out of the interval that its reads are in.
PADDING_BP = 1000
# Reading on costs less than looking up the next region: an index has windows of 16 kb (SAM specification, 5.1.3).
GAP_BP = 1 << 14
UNITS = 4  # of an interval: twice as many as the step's cores, so that these end together
MIN_UNIT_BP = 20_000  # of a unit: its padding costs little then


class Region(NamedTuple):
    """Bases `start` to `end` of a contig, both included, counted from 1."""

    contig: str
    start: int
    end: int


def parse_regions(regions: Sequence[str]) -> list[Region]:
    """Parse the regions of an interval, such as ``chr21:1-40001``."""
    parsed = []
    for text in regions:
        contig, _, bounds = text.rpartition(":")
        start, _, end = bounds.partition("-")
        parsed.append(Region(contig, int(start), int(end)))
    return parsed


def targets_within(regions: Sequence[Region], targets: Iterable[Target]) -> list[Region]:
    """Return the parts of targets that lie in the regions of an interval.

    Args:
        regions: The regions, in the reference's order.
        targets: The targets, sorted in the reference's order; they may overlap.

    >>> targets = [Target("a", 0, 5), Target("a", 3, 6), Target("b", 2, 9)]
    >>> targets_within([Region("a", 5, 9), Region("b", 1, 4)], targets)
    [Region(contig='a', start=5, end=6), Region(contig='b', start=3, end=4)]
    """
    merged: list[Region] = []
    for target in targets:
        if merged and merged[-1].contig == target.contig and target.start <= merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, target.end))
        else:
            merged.append(Region(target.contig, target.start + 1, target.end))
    by_contig: dict[str, list[Region]] = {}
    for one in merged:
        by_contig.setdefault(one.contig, []).append(one)
    return [
        Region(contig, max(start, one.start), min(end, one.end))
        for contig, start, end in regions
        for one in by_contig.get(contig, ())
        if one.start <= end and start <= one.end
    ]


def padded(regions: Sequence[Region], contigs: Mapping[str, int]) -> list[Region]:
    """Return the regions, padded by `PADDING_BP` on both sides; those nearer than `GAP_BP` are merged."""
    spans: list[Region] = []
    for contig, start, end in regions:
        wider = Region(contig, max(1, start - PADDING_BP), min(contigs[contig], end + PADDING_BP))
        if spans and spans[-1].contig == contig and wider.start <= spans[-1].end + GAP_BP:
            spans[-1] = spans[-1]._replace(end=max(wider.end, spans[-1].end))
        else:
            spans.append(wider)
    return spans


def units_of(regions: Sequence[Region]) -> list[list[Region]]:
    """Return the units of an interval, each of which is genotyped by itself: at most `UNITS`, of about the same size.

    >>> for unit in units_of([Region("a", 1, 30_000), Region("b", 1, 15_000)]):
    ...     print(*(f"{region.contig}:{region.start}-{region.end}" for region in unit))
    a:1-20000
    a:20001-30000 b:1-10000
    b:10001-15000
    """
    total = sum(region.end - region.start + 1 for region in regions)
    size = max(MIN_UNIT_BP, -(-total // UNITS))
    units: list[list[Region]] = []
    room = 0
    for region in regions:
        start = region.start
        while start <= region.end:
            if not room:
                units.append([])
                room = size
            end = min(region.end, start + room - 1)
            units[-1].append(Region(region.contig, start, end))
            room -= end - start + 1
            start = end + 1
    return units


class Ownership:
    """The positions that the interval owns, as pairs of contig and position from 1.

    Args:
        regions: The regions, sorted on each contig, without overlaps.
    """

    def __init__(self, regions: Sequence[Region]) -> None:
        self._regions: dict[str, list[Region]] = {}
        for region in regions:
            self._regions.setdefault(region.contig, []).append(region)
        self._ends = {contig: [region.end for region in owned] for contig, owned in self._regions.items()}

    def __contains__(self, position: tuple[str, int]) -> bool:
        contig, base = position
        owned = self._regions.get(contig, [])
        index = bisect_left(self._ends.get(contig, []), base)
        return index < len(owned) and owned[index].start <= base
