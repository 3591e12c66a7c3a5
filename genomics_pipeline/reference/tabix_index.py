"""The indexes of a file that is sorted by position and compressed by bgzip: `.tbi`, and `.csi` of tabix or bcftools.

Formats: "The Tabix index file format" and "Coordinate Sorted Index (CSI)", samtools.github.io/hts-specs (tabix.pdf,
CSIv1.pdf). The `.csi` of a BCF file has no names of contigs: they have numbers in the file's header. Records of VCF are
indexed up to INFO/END, where they have one, else up to the end of REF.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import NamedTuple

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.bgzf import decompressed

_TBI, _CSI = b"TBI\1", b"CSI\1"
_TBI_MIN_SHIFT, _TBI_DEPTH = 14, 5
_TABIX_HEAD = struct.Struct("<7i")  # format, columns of sequence, begin and end, meta, skip, length of the names
_WORD = 4
_PAIR = struct.Struct("<QQ")
_DAMAGED = "expected a whole index of tabix (.tbi or .csi), found"


class IndexChunk(NamedTuple):
    """Records that follow each other: the virtual offsets of the first one's beginning and of the last one's end."""

    start: int
    end: int


class TabixIndex:
    """An index.

    Args:
        data: The content of its file.

    Attributes:
        is_csi: True of a `.csi`, false of a `.tbi`.

    Raises:
        DataError: if it is none, or not whole.
    """

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(decompressed(data, budgets.TABIX_INDEX.value))
        magic = bytes(self._data[:4])
        if magic not in (_TBI, _CSI):
            raise DataError(f"{_DAMAGED} the first bytes {magic!r}")
        self.is_csi = magic == _CSI
        self._bin_words = 4 if self.is_csi else 2  # before the chunks of a bin; their number is the last
        try:
            names, start = self._csi_names() if self.is_csi else self._tbi_names()
        except struct.error:
            raise DataError(f"{_DAMAGED} one that is cut off") from None
        self._rank = None if names is None else {name: number for number, name in enumerate(names)}
        rest = self._data[start:]
        self._words = rest[: len(rest) // _WORD * _WORD].cast("I")  # of machines that are little-endian, as all of ours
        self._places = [0]  # of the bins of the first contigs

    def _tbi_names(self) -> tuple[list[str], int]:
        """Return the names of the contigs and the place of the first one's bins."""
        self._min_shift, self._depth = _TBI_MIN_SHIFT, _TBI_DEPTH
        (self._count,) = struct.unpack_from("<i", self._data, 4)
        *_, length = _TABIX_HEAD.unpack_from(self._data, 8)
        start = 8 + _TABIX_HEAD.size
        return self._names(start, length), start + length

    def _csi_names(self) -> tuple[list[str] | None, int]:
        self._min_shift, self._depth, auxiliary = struct.unpack_from("<3i", self._data, 4)
        start = 16
        if not (0 < self._min_shift < 32 and 0 < self._depth < 16 and (auxiliary >= _TABIX_HEAD.size or not auxiliary)):
            raise DataError(f"{_DAMAGED} one with other fields")
        (self._count,) = struct.unpack_from("<i", self._data, start + auxiliary)
        behind = start + auxiliary + _WORD
        if not auxiliary:
            return None, behind
        *_, length = _TABIX_HEAD.unpack_from(self._data, start)
        return self._names(start + _TABIX_HEAD.size, length), behind

    def _names(self, start: int, length: int) -> list[str]:
        names = bytes(self._data[start : start + length]).split(b"\0")[:-1]
        if len(names) != self._count:
            raise DataError(f"{_DAMAGED} {len(names)} names of {self._count} contigs")
        return [name.decode(errors="replace") for name in names]

    def refuse_lack_of_names(self, numbers: Mapping[str, int] | None) -> None:
        """Refuse an index without names of contigs, unless the file numbers them.

        Raises:
            DataError: if the file does not.
        """
        if self._rank is None and numbers is None:
            raise DataError(f"{_DAMAGED} one without names of contigs")

    def chunks(self, contig: str, start: int, end: int, numbers: Mapping[str, int] | None = None) -> list[IndexChunk]:
        """Return the chunks that have all records that overlap a region, and some others, in order, without overlaps.

        Args:
            contig: The contig.
            start: The region's first base, from 0.
            end: The base behind its last.
            numbers: The number of each contig, which the header of a BCF file has; None to go by the index's names.

        Raises:
            DataError: if the index is not whole.
        """
        rank = (self._rank or {} if numbers is None else numbers).get(contig)
        start, end = max(start, 0), min(end, 1 << self._min_shift + 3 * self._depth)
        if rank is None or rank >= self._count or start >= end:
            return []
        try:
            return self._chunks(self._place(rank), start, end)
        except (IndexError, struct.error):
            raise DataError(f"{_DAMAGED} one that is cut off at {contig}") from None

    def contigs(self, numbers: Mapping[str, int] | None = None) -> list[str]:
        """Return the contigs with records, in the file's order.

        Args:
            numbers: See `chunks`.

        Raises:
            DataError: if the index is not whole, or has contigs that a BCF file's header lacks.
        """
        names = {rank: name for name, rank in (self._rank or {} if numbers is None else numbers).items()}
        try:
            ranks = [rank for rank in range(self._count) if self._words[self._place(rank)]]
        except IndexError:
            raise DataError(f"{_DAMAGED} one that is cut off") from None
        if not names.keys() >= set(ranks):
            raise DataError("expected an index of contigs of the header, found one of more contigs")
        return [names[rank] for rank in ranks]

    def windows(self, contig: str, numbers: Mapping[str, int] | None = None) -> list[tuple[int, int]]:
        """Return windows of a contig: the first base of each, from 0, and a place in the file before its records.

        Both increase; windows without records of their own are left out.

        Args:
            contig: A contig with records.
            numbers: See `chunks`.

        Raises:
            DataError: if the index is not whole.
        """
        rank = (self._rank or {} if numbers is None else numbers)[contig]
        found: list[tuple[int, int]] = []
        try:
            for start, place in sorted(self._window_places(self._place(rank))):
                if place and (not found or place > found[-1][1]):
                    found.append((start, place))
        except IndexError:
            raise DataError(f"{_DAMAGED} one that is cut off at {contig}") from None
        return found

    def _window_places(self, place: int) -> Iterator[tuple[int, int]]:
        """Yield the first base of each window of 16 kb, or of each bin of a `.csi`, and the byte of its records' block.

        A bin with little content is not in the file, but part of a larger one, so that all sizes of bins count.
        """
        words, counts = self._words, _first_bin(self._depth + 1) + 1
        bins, place = words[place], place + 1
        for _ in repeat(None, bins):
            number, one = words[place], place
            place += self._bin_words + _WORD * words[place + self._bin_words - 1]
            if self.is_csi and number != counts:
                yield self._begin(number), (words[one + 1] | words[one + 2] << 32) >> 16
        if not self.is_csi:
            for window in range(words[place]):
                low, high = words[place + 1 + 2 * window], words[place + 2 + 2 * window]
                yield window << self._min_shift, (low | high << 32) >> 16

    def end(self) -> int:
        """Return the virtual offset behind the last record; 0 for an index without records.

        Raises:
            DataError: if the index is not whole.
        """
        words, counts = self._words, _first_bin(self._depth + 1) + 1
        bins = ((start, end) for number, start, end in self._bins() if number != counts)
        places = (at for start, end in bins for at in range(start, end, _WORD))
        return max((words[at + 2] | words[at + 3] << 32 for at in places), default=0)

    def records(self) -> int | None:
        """Return the number of records, which samtools and bcftools write into a bin of their own; None without it.

        Raises:
            DataError: if the index is not whole.
        """
        words, counts = self._words, _first_bin(self._depth + 1) + 1
        places = [end - _WORD for number, _, end in self._bins() if number == counts]
        if len(places) < sum(1 for rank in range(self._count) if words[self._place(rank)]):
            return None
        return sum(words[at] | words[at + 1] << 32 for at in places) + sum(words[at + 2] for at in places)

    def _bins(self) -> Iterator[tuple[int, int, int]]:
        """Yield the number of each bin of each contig, and the places of its chunks' beginning and end.

        Raises:
            DataError: if the index is not whole.
        """
        words = self._words
        try:
            for rank in range(self._count):
                place = self._place(rank)
                bins, place = words[place], place + 1
                for _ in repeat(None, bins):
                    number, start = words[place], place + self._bin_words
                    place = start + _WORD * words[start - 1]
                    yield number, start, place
        except IndexError:
            raise DataError(f"{_DAMAGED} one that is cut off") from None

    def _place(self, rank: int) -> int:
        """Return the place of the bins of a contig."""
        words, bin_words = self._words, self._bin_words
        while len(self._places) <= rank:
            place = self._places[-1]
            bins, place = words[place], place + 1
            for _ in repeat(None, bins):  # hundreds of thousands
                place += bin_words + _WORD * words[place + bin_words - 1]
            self._places.append(place if self.is_csi else place + 1 + 2 * words[place])
        return self._places[rank]

    def _chunks(self, place: int, start: int, end: int) -> list[IndexChunk]:
        """Return the chunks of a region of the contig whose bins are at a place."""
        words, bin_words, wanted = self._words, self._bin_words, self._bins_of(start, end)
        counts, leaf = _first_bin(self._depth + 1) + 1, _first_bin(self._depth)  # `counts`: samtools', no bin
        before, behind = leaf + (start >> self._min_shift), leaf + (end - 1 >> self._min_shift) + 1
        lowest, highest = 0, 1 << 64
        found: list[IndexChunk] = []
        bins, place = words[place], place + 1
        for _ in repeat(None, bins):  # thousands
            number, one = words[place], place
            chunks = words[place + bin_words - 1]
            place += bin_words + _WORD * chunks
            if number in wanted:
                found += map(IndexChunk._make, _PAIR.iter_unpack(words[one + bin_words : place].cast("B")))
            elif chunks and number != counts and (number >= behind or (number < leaf and self._begin(number) >= end)):
                highest = min(highest, words[one + bin_words] | words[one + bin_words + 1] << 32)
            if self.is_csi and (leaf <= number <= before or (number < leaf and self._begin(number) <= start)):
                lowest = max(lowest, words[one + 1] | words[one + 2] << 32)
        if not self.is_csi:
            lowest = self._first_offset(place, start >> self._min_shift)
        clipped = (IndexChunk(max(chunk.start, lowest), min(chunk.end, highest)) for chunk in found)
        return merged(chunk for chunk in clipped if chunk.start < chunk.end)

    def _bins_of(self, start: int, end: int) -> set[int]:
        """Return the numbers of all bins that overlap a region, whether or not the index has them."""
        numbers: set[int] = set()
        for level in range(self._depth + 1):
            first, shift = _first_bin(level), self._min_shift + 3 * (self._depth - level)
            numbers.update(range(first + (start >> shift), first + (end - 1 >> shift) + 1))
        return numbers

    def _begin(self, number: int) -> int:
        """Return the first base of a bin, from 0."""
        level = 0
        while number >= _first_bin(level + 1):
            level += 1
        return number - _first_bin(level) << self._min_shift + 3 * (self._depth - level)

    def _first_offset(self, place: int, window: int) -> int:
        """Return a lower bound of the offsets of the records that overlap a window, by a linear index of a `.tbi`."""
        words = self._words
        for one in range(min(window, words[place] - 1), -1, -1):
            low, high = words[place + 1 + 2 * one], words[place + 2 + 2 * one]
            if low or high:  # not a window without records, which some programs leave at 0
                return low | high << 32
        return 0


def merged(chunks: Iterable[IndexChunk]) -> list[IndexChunk]:
    """Return chunks in order, those that touch or overlap as one.

    >>> merged([IndexChunk(7, 9), IndexChunk(1, 3), IndexChunk(3, 5), IndexChunk(8, 8)])
    [IndexChunk(start=1, end=5), IndexChunk(start=7, end=9)]
    """
    found: list[IndexChunk] = []
    for chunk in sorted(chunks):
        if found and chunk.start <= found[-1].end:
            found[-1] = IndexChunk(found[-1].start, max(found[-1].end, chunk.end))
        else:
            found.append(chunk)
    return found


def _first_bin(level: int) -> int:
    """Return the number of the first bin of a level.

    >>> [_first_bin(level) for level in range(7)]
    [0, 1, 9, 73, 585, 4681, 37449]
    """
    return ((1 << 3 * level) - 1) // 7
