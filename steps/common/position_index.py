"""Indexes of sorted records by their positions, built while records are written (BAI and TBI; SAM specification, 5.2).

Places are counted in uncompressed bytes until all blocks are written. What an index holds is what htslib writes of the
same file; only the order of the bins, which is that of a hash table there, is different.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from struct import pack
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Chunk = tuple[int, int]  # virtual offsets: where it begins and where it ends

WINDOW_SHIFT = 14  # windows of 16 kb
LEVELS = ((26, 1), (23, 9), (20, 73), (17, 585), (14, 4681))  # of bins: the bits of a bin's size, and its first bin
COUNTS_BIN = 37450  # whose chunks are the place of a contig's records, and the numbers of mapped and unmapped ones
LEAST_BYTES = 1 << 16  # compressed bytes of a bin that is not joined with the one around it


class PositionIndex:
    """The places of records by their positions.

    Args:
        contigs: The number of contigs.
    """

    def __init__(self, contigs: int) -> None:
        self._mapped, self._unmapped = np.zeros(contigs, np.int64), np.zeros(contigs, np.int64)
        self._unplaced = 0
        self._runs: list[Integers] = []  # rows of records that follow each other in one bin: contig, bin, place
        self._last = (-2, 0)
        self._windows: list[dict[int, int]] = [{} for _ in range(contigs)]  # the first record that overlaps each

    def add(
        self, contigs: Integers, begins: Integers, ends: Integers, places: Integers, mapped: NDArray[np.bool_]
    ) -> None:
        """Add the records that follow, at least one.

        Args:
            contigs: The number of each record's contig; -1 without one.
            begins: Its first base, from 0.
            ends: The base behind its last.
            places: Its place in the uncompressed file.
            mapped: Which records count as mapped; all that are no alignments.
        """
        bins = np.where(contigs >= 0, bins_of(begins, ends), 0)
        new = _changes(contigs, bins, self._last)
        self._runs.append(np.stack((contigs[new], bins[new], places[new])))
        self._last = int(contigs[-1]), int(bins[-1])
        placed = contigs >= 0
        self._unplaced += int(np.count_nonzero(~placed))
        for counts, which in ((self._mapped, placed & mapped), (self._unmapped, placed & ~mapped)):
            numbers, found = np.unique(contigs[which], return_counts=True)
            counts[numbers] += found
        self._add_windows(contigs, begins >> WINDOW_SHIFT, (ends - 1) >> WINDOW_SHIFT, places)

    def _add_windows(self, contigs: Integers, firsts: Integers, lasts: Integers, places: Integers) -> None:
        """Add the first record of each window; those that begin before it come before those that begin in it."""
        crossing = np.flatnonzero((lasts > firsts) & (contigs >= 0))
        crossing = crossing[_changes(contigs[crossing], lasts[crossing], (-2, 0))]
        for record in crossing.tolist():
            windows = self._windows[contigs[record]]
            for window in range(firsts[record] + 1, lasts[record] + 1):
                windows.setdefault(window, int(places[record]))
        beginning = _changes(contigs, firsts, (-2, 0))
        for record in beginning[contigs[beginning] >= 0].tolist():
            self._windows[contigs[record]].setdefault(int(firsts[record]), int(places[record]))

    def content(self, starts: Integers, places: Integers) -> bytes:
        """Return the bins and windows of all contigs, as BAI and TBI have them.

        Args:
            starts: Where each block begins in the uncompressed file, and the end of the last.
            places: The same in the compressed file.
        """

        def virtual(offsets: Any) -> list[int]:
            """Return virtual offsets: the place of the block, and the place in it in 16 bits."""
            values = np.array(offsets, np.int64)
            blocks = np.searchsorted(starts, values, "right") - 1
            offset: list[int] = (places[blocks] << 16 | values - starts[blocks]).tolist()
            return offset

        runs = np.concatenate(self._runs, axis=1) if self._runs else np.zeros((3, 0), np.int64)
        borders = np.searchsorted(np.where(runs[0] < 0, len(self._windows), runs[0]), np.arange(len(self._windows) + 1))
        offsets = virtual([*runs[2], starts[-1]])
        counts = list(zip(self._mapped.tolist(), self._unmapped.tolist(), strict=True))
        parts: list[bytes] = []
        for contig, (first, last) in enumerate(pairwise(borders.tolist())):
            bins: dict[int, list[Chunk]] = {}
            for number, chunk in zip(runs[1, first:last].tolist(), pairwise(offsets[first : last + 1]), strict=True):
                bins.setdefault(number, []).append(chunk)
            _join_small(bins)
            if bins:
                bins[COUNTS_BIN] = [(offsets[first], offsets[last]), counts[contig]]
            parts.append(pack("<i", len(bins)))
            parts += [_bin_bytes(number, chunks) for number, chunks in bins.items()]
            windows = self._windows[contig]
            parts += _window_bytes(dict(zip(windows, virtual(list(windows.values())), strict=True)))
        return b"".join([*parts, pack("<Q", self._unplaced)])


def bins_of(begins: Integers, ends: Integers) -> Integers:
    """Return the bin of each record (SAM specification, 5.3)."""
    bins = np.zeros(len(begins), np.int64)
    for shift, first in LEVELS:
        within = begins >> shift == (ends - 1) >> shift
        bins[within] = first + (begins[within] >> shift)
    return bins


def _changes(contigs: Integers, values: Integers, before: tuple[int, int]) -> Integers:
    """Return the places where the contig or the value is not that before it."""
    changed = np.diff(contigs, prepend=before[0]) != 0
    return np.flatnonzero(changed | (np.diff(values, prepend=before[1]) != 0))


def _join_small(bins: dict[int, list[Chunk]]) -> None:
    """Join bins of a few bytes with those around them that have records, and chunks that share a block."""
    for level in range(len(LEVELS) - 1, -1, -1):
        for number in [number for number in bins if number >= LEVELS[level][1]]:
            around, chunks = (number - 1) >> 3, sorted(bins[number])
            if around in bins and (chunks[-1][1] >> 16) - (chunks[0][0] >> 16) < LEAST_BYTES:
                bins[around] += bins.pop(number)
    for number, chunks in bins.items():
        bins[number] = list(_joined(sorted(chunks)))


def _joined(chunks: list[Chunk]) -> Iterator[Chunk]:
    begin, end = chunks[0]
    for following, last in chunks[1:]:
        if end >> 16 >= following >> 16:
            end = max(end, last)
        else:
            yield begin, end
            begin, end = following, last
    yield begin, end


def _bin_bytes(number: int, chunks: list[Chunk]) -> bytes:
    return pack(f"<Ii{2 * len(chunks)}Q", number, len(chunks), *(offset for chunk in chunks for offset in chunk))


def _window_bytes(offsets: dict[int, int]) -> list[bytes]:
    """Return the offset of each window up to the last; one that no record overlaps has that of the next."""
    values = [offsets.get(window, 0) for window in range(max(offsets, default=-1) + 1)]
    for window in range(len(values) - 2, -1, -1):
        values[window] = values[window] or values[window + 1]
    return [pack("<i", len(values)), pack(f"<{len(values)}Q", *values)]
