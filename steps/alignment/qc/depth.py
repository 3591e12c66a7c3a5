"""The depth along one contig, from the places where it changes: what it costs follows from the reads, not the bases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from common.arrays import distinct
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class Depth:
    """The depth along a contig, counted up to the last position from which on reads may still come.

    Args:
        length: The length of the contig in bp.
        regions: Start and end of each region; they may overlap.
        thresholds: The depths of which the bases of each region are counted.
    """

    def __init__(self, length: int, regions: Sequence[tuple[int, int]] = (), thresholds: Sequence[int] = ()) -> None:
        self._length = length
        self._settled = 0
        self._depth = 0
        self._starts = np.sort(np.array([start for start, _ in regions], np.int64))
        self._ends = np.sort(np.array([end for _, end in regions], np.int64))
        self._borders = distinct(np.concatenate((self._starts, self._ends)))
        self._positions = self._borders  # where the depth does not change, but the count of regions does
        self._changes = np.zeros(len(self._borders), np.int64)
        self._levels = np.array(thresholds, np.int64)
        self._until_settled: NDArray[Any] = np.zeros(1 + len(thresholds))  # depths, positions of each threshold
        self._until_border = np.zeros((1 + len(thresholds), len(self._borders)))
        self.everywhere = Histogram()
        self.in_regions = Histogram()

    def add(self, starts: Integers, ends: Integers, settled: int) -> None:
        """Add parts of reads; no later part begins before the position `settled`."""
        positions = np.concatenate((self._positions, starts, ends))
        ones = np.ones(len(starts), np.int64)
        changes = np.concatenate((self._changes, ones, -ones))
        now = positions <= settled
        self._positions, self._changes = positions[~now], changes[~now]
        self._settle(positions[now], changes[now], settled)

    def end(self) -> None:
        """Count the rest of the contig."""
        nothing = np.zeros(0, np.int64)
        self.add(nothing, nothing, self._length)

    def region_sums(self, start: int, end: int) -> list[int]:
        """Return, of a region, the sum of all depths, and the number of positions that reach each threshold."""
        first, last = np.searchsorted(self._borders, (start, end))
        return [round(one) for one in self._until_border[:, last] - self._until_border[:, first]]

    def _settle(self, positions: Integers, changes: Integers, settled: int) -> None:
        order = np.argsort(positions, kind="stable")
        points = np.concatenate(([self._settled], positions[order], [settled]))
        depths = self._depth + np.concatenate(([0], np.cumsum(changes[order])))
        lengths = np.diff(points)
        self.everywhere.add(depths, lengths)
        if len(self._borders):
            begins = points[:-1]
            opened = np.searchsorted(self._starts, begins, "right") - np.searchsorted(self._ends, begins, "right")
            self.in_regions.add(depths, lengths * opened)
            self._measure_borders(points, depths, lengths)
        self._depth, self._settled = int(depths[-1]), settled

    def _measure_borders(self, points: Integers, depths: Integers, lengths: Integers) -> None:
        """Sum up the depths, and the positions of each threshold, before each border that is settled now."""
        measures: Integers = np.vstack((depths, depths >= self._levels[:, None])).astype(np.int64) * lengths
        sums = np.hstack((np.zeros((len(measures), 1)), np.cumsum(measures, axis=1))) + self._until_settled[:, None]
        first = np.searchsorted(self._borders, points[0])
        last = np.searchsorted(self._borders, points[-1], "right")
        at = np.searchsorted(points, self._borders[first:last])
        self._until_border[:, first:last] = sums[:, at]
        self._until_settled = sums[:, -1]


class Histogram:
    """The number of bases of each depth."""

    def __init__(self) -> None:
        self.bases = np.zeros(1, np.int64)

    def add(self, depths: Integers, lengths: Integers) -> None:
        """Count runs of bases of equal depth."""
        counted = np.bincount(depths[lengths > 0], lengths[lengths > 0]).astype(np.int64)  # exact below 2**53
        if len(counted) > len(self.bases):
            counted, self.bases = self.bases, counted
        self.bases[: len(counted)] += counted
