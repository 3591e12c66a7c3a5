"""The windows of an interval, each of which is imputed by itself, with sites on both sides as its margin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple


class Window(NamedTuple):
    """Bases `start` to `end` of a contig, both included, counted from 1: the sites that are written."""

    contig: str
    start: int
    end: int

    def with_margin(self, margin: int, length: int) -> Window:
        """Return the window with a margin on both sides, as far as the contig goes.

        >>> Window("c", 101, 200).with_margin(150, 320)
        Window(contig='c', start=1, end=320)
        """
        return Window(self.contig, max(1, self.start - margin), min(length, self.end + margin))

    @property
    def bounds(self) -> tuple[str, int, int]:
        """Return the contig, the first base counted from 0, and the base behind the last, as pysam counts."""
        return self.contig, self.start - 1, self.end

    @property
    def text(self) -> str:
        """Return the window as samtools writes regions."""
        return f"{self.contig}:{self.start}-{self.end}"


def windows(regions: Sequence[str], contigs: Mapping[str, int], size: int) -> list[Window]:
    """Return the windows of an interval, those of a region about as long as each other.

    Args:
        regions: The regions of the interval, such as ``chr21:1-40001``.
        contigs: The length of each contig, by name.
        size: The most bases of a window.

    >>> windows(["a:1-10", "b:5-6"], {"a": 10, "b": 6}, 4)[:2]
    [Window(contig='a', start=1, end=3), Window(contig='a', start=4, end=6)]
    """
    found = []
    for region in regions:
        contig, _, bounds = region.rpartition(":")
        start, end = map(int, bounds.split("-"))
        end = min(end, contigs[contig])
        count = -(-(end - start + 1) // size)
        borders = [start + (end - start + 1) * number // count for number in range(count + 1)]
        found += [Window(contig, left, right - 1) for left, right in pairwise(borders)]
    return found
