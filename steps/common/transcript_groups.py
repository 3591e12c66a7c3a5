"""Groups of transcripts that overlap each other, or that a variant joins: csq treats the variants of each together."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_PARTS = ("CDS", "exon", "five_prime_UTR", "three_prime_UTR")  # of a transcript


class Region(NamedTuple):
    """Bases of a contig, counted from 1, the last included."""

    contig: str
    start: int
    end: int


class Extent(NamedTuple):
    """Bases, counted from 1, the last included."""

    start: int
    end: int


class Transcripts:
    """The places of the transcripts of a GFF3 file.

    Args:
        lines: The lines of the file.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        extents: dict[str, list[Extent]] = {}
        ends: dict[str, Counter[int]] = {}
        for line in lines:
            fields = line.split("\t", 9)
            if len(fields) < 9 or "Parent=" not in fields[8]:
                continue
            extents.setdefault(fields[0], []).append(Extent(int(fields[3]), int(fields[4])))
            if fields[2] not in _PARTS:
                ends.setdefault(fields[0], Counter())[int(fields[4])] += 1
        self._extents = {contig: list(united(sorted(some))) for contig, some in extents.items()}
        self._shared = {name: sorted(end for end, count in some.items() if count > 1) for name, some in ends.items()}

    def extents(self, contig: str) -> list[Extent]:
        """Return the extents of the transcripts of a contig in order, those that overlap as one."""
        return self._extents.get(contig, [])

    def has_shared_end(self, contig: str, extent: Extent) -> bool:
        """Return whether two transcripts end at the same base, in some part of a contig."""
        ends = self._shared.get(contig, [])
        at = bisect_left(ends, extent.start)
        return at < len(ends) and ends[at] <= extent.end


def united(extents: Iterable[Extent]) -> Iterator[Extent]:
    """Yield extents, those that overlap as one.

    Args:
        extents: The extents, in the order of their starts.

    >>> list(united([Extent(1, 6), Extent(2, 3), Extent(5, 9), Extent(10, 12)]))
    [Extent(start=1, end=9), Extent(start=10, end=12)]
    """
    current: Extent | None = None
    for extent in extents:
        if current and extent.start <= current.end:
            current = Extent(current.start, max(current.end, extent.end))
            continue
        if current:
            yield current
        current = extent
    if current:
        yield current


def reach(pos: int, stop: int) -> Extent:
    """Return the bases on which csq looks for transcripts of a variant: one more, for an insertion before them.

    Args:
        pos: The first base of the variant, from 1; 0 for a telomere.
        stop: Its last base.
    """
    return Extent(pos, stop + 1)
