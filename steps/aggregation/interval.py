"""The interval of a task: regions that own the records that start within them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

# Normalisation moves an indel left, sometimes out of the interval that its reads are in.
PADDING_BP = 1000


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


def padded_bed(regions: Sequence[Region], contigs: Mapping[str, int]) -> str:
    """Return a BED file of the regions, padded by `PADDING_BP` on both sides; those that then touch are merged."""
    spans: list[Region] = []
    for contig, start, end in regions:
        padded = Region(contig, max(1, start - PADDING_BP), min(contigs[contig], end + PADDING_BP))
        if spans and spans[-1].contig == contig and padded.start <= spans[-1].end + 1:
            spans[-1] = spans[-1]._replace(end=max(padded.end, spans[-1].end))
        else:
            spans.append(padded)
    return "".join(f"{span.contig}\t{span.start - 1}\t{span.end}\n" for span in spans)


class Ownership:
    """The positions that the interval owns, as pairs of contig and position from 1."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self._regions: dict[str, list[Region]] = {}
        for region in regions:
            self._regions.setdefault(region.contig, []).append(region)

    def __contains__(self, position: tuple[str, int]) -> bool:
        return any(region.start <= position[1] <= region.end for region in self._regions.get(position[0], ()))
