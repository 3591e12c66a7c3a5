"""The interval of a task: regions that own what starts within them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

# An indel moves left when normalised, maybe out of the interval that its reads were in.
PADDING_BP = 1000


class Region(NamedTuple):
    """Bases `start` to `end` of a contig, counted from 1, both within."""

    contig: str
    start: int
    end: int


def parse_regions(regions: Sequence[str]) -> list[Region]:
    """Parse the regions of an interval, such as ``chr21:1-40001``."""
    found = []
    for text in regions:
        contig, _, bounds = text.rpartition(":")
        start, _, end = bounds.partition("-")
        found.append(Region(contig, int(start), int(end)))
    return found


def padded_bed(regions: Sequence[Region], contigs: Mapping[str, int]) -> str:
    """Return a BED file of the regions with `PADDING_BP` more on both sides; regions that then touch are merged."""
    spans: list[Region] = []
    for contig, start, end in regions:
        wide = Region(contig, max(1, start - PADDING_BP), min(contigs[contig], end + PADDING_BP))
        if spans and spans[-1].contig == contig and wide.start <= spans[-1].end + 1:
            spans[-1] = spans[-1]._replace(end=max(wide.end, spans[-1].end))
        else:
            spans.append(wide)
    return "".join(f"{span.contig}\t{span.start - 1}\t{span.end}\n" for span in spans)


class Ownership:
    """The positions that are the interval's own: (contig, position from 1) pairs."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self._regions: dict[str, list[Region]] = {}
        for region in regions:
            self._regions.setdefault(region.contig, []).append(region)

    def __contains__(self, place: tuple[str, int]) -> bool:
        return any(region.start <= place[1] <= region.end for region in self._regions.get(place[0], ()))
