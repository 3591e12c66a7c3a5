"""The interval of a task: regions that own what starts within them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

# An indel moves left when normalised, maybe out of the interval that its reads were in: so much more is looked at.
PADDING_BP = 1000


class Region(NamedTuple):
    """Bases `start` to `end` of a contig, counted from 1, both within."""

    contig: str
    start: int
    end: int


def parse(regions: Sequence[str]) -> list[Region]:
    """The regions of an interval, such as ``chr21:1-40001``."""
    found = []
    for text in regions:
        contig, _, bounds = text.rpartition(":")
        start, _, end = bounds.partition("-")
        found.append(Region(contig, int(start), int(end)))
    return found


def read_contigs(fai: Path) -> dict[str, int]:
    """Contig -> length, in the reference's order."""
    rows = (line.split("\t") for line in fai.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows}


def padded_bed(regions: Sequence[Region], contigs: Mapping[str, int]) -> str:
    """A BED file of the regions with `PADDING_BP` more on both sides, what then touches merged."""
    spans: list[Region] = []
    for contig, start, end in regions:
        wide = Region(contig, max(1, start - PADDING_BP), min(contigs[contig], end + PADDING_BP))
        if spans and spans[-1].contig == contig and wide.start <= spans[-1].end + 1:
            spans[-1] = spans[-1]._replace(end=max(wide.end, spans[-1].end))
        else:
            spans.append(wide)
    return "".join(f"{span.contig}\t{span.start - 1}\t{span.end}\n" for span in spans)


class Ownership:
    """Which positions are the interval's own."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self._regions: dict[str, list[Region]] = {}
        for region in regions:
            self._regions.setdefault(region.contig, []).append(region)

    def __contains__(self, place: tuple[str, int]) -> bool:
        return any(region.start <= place[1] <= region.end for region in self._regions.get(place[0], ()))
