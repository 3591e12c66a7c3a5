"""The units that are called in parallel: a grid over the reference that does not depend on the number of cores."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from common.bed import read_regions
from common.ploidy import Ploidy

# Each unit costs 60 ms of tables that bcftools computes at its start, a tenth of the time of 100 kb at 30x.
SMALLEST_UNIT_BP, LARGEST_UNIT_BP = 100_000, 5_000_000
UNITS = 64  # of a genome, unless they would be smaller or larger than that
# bcftools realigns reads at a unit's border by the columns before it, and normalisation moves indels left: each unit is
# called with padding on both sides, and only the records that start within the unit are kept.
PADDING_BP = 1000


class Span(NamedTuple):
    """Bases [start, end) of a contig, counted from 0."""

    contig: str
    start: int
    end: int


Unit = tuple[Span, ...]


class Ownership:
    """The positions that a unit owns."""

    def __init__(self, unit: Unit) -> None:
        self._spans: dict[str, list[Span]] = {}
        for span in unit:
            self._spans.setdefault(span.contig, []).append(span)
        self._ends = {contig: [span.end for span in spans] for contig, spans in self._spans.items()}

    def parts(self, contig: str, start: int, end: int) -> list[tuple[int, int]]:
        """Return the parts of [start, end) that the unit owns."""
        owned = []
        for span in self._spans.get(contig, [])[bisect_right(self._ends.get(contig, []), start) :]:
            if span.start >= end:
                break
            owned.append((max(start, span.start), min(end, span.end)))
        return owned


def divide(contigs: Mapping[str, int], regions: Sequence[Span] | None, unit_bp: int | None) -> list[Unit]:
    """Divide the reference, or regions of it, into units of about the same size, in the reference's order.

    Args:
        contigs: The length of each contig in bp, by name.
        regions: The regions, sorted, without overlaps; None for the whole reference.
        unit_bp: The units' size; None for a 64th of the reference, within limits.
    """
    size = unit_bp or min(max(sum(contigs.values()) // UNITS, SMALLEST_UNIT_BP), LARGEST_UNIT_BP)
    regional = None if regions is None else Ownership(tuple(regions))
    units: list[Unit] = []
    spans: list[Span] = []
    filled = 0
    for piece in _pieces(contigs, size):
        if filled + piece.end - piece.start > size:
            units.append(tuple(spans))
            spans, filled = [], 0
        filled += piece.end - piece.start
        spans += [piece] if regional is None else [Span(piece.contig, *part) for part in regional.parts(*piece)]
    return [unit for unit in [*units, tuple(spans)] if unit]


def _pieces(contigs: Mapping[str, int], size: int) -> Iterable[Span]:
    """Yield every contig in pieces of equal length, at most `size` bases."""
    for contig, length in contigs.items():
        count = -(-length // size)
        for index in range(count):
            yield Span(contig, index * length // count, (index + 1) * length // count)


def with_copies(unit: Unit, ploidy: Ploidy, copies: int) -> Unit:
    """Return the parts of a unit of which a sample has a number of copies."""
    parts = (part for span in unit for part in ploidy.parts(*span))
    return tuple(Span(part.contig, part.start, part.end) for part in parts if part.copies == copies)


def pad(unit: Unit, contigs: Mapping[str, int]) -> list[Span]:
    """Return the unit's spans, padded by `PADDING_BP` on both sides; those that then touch are merged."""
    return merge(
        Span(span.contig, max(0, span.start - PADDING_BP), min(contigs[span.contig], span.end + PADDING_BP))
        for span in unit
    )


def merge(spans: Iterable[Span]) -> list[Span]:
    """Merge sorted spans that overlap or touch."""
    merged: list[Span] = []
    for span in spans:
        if merged and merged[-1].contig == span.contig and span.start <= merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def bed_text(spans: Iterable[Span]) -> str:
    """Return the spans as a BED file."""
    return "".join(f"{span.contig}\t{span.start}\t{span.end}\n" for span in spans)


def read_bed(path: str, contigs: Mapping[str, int]) -> list[Span]:
    """Read the regions of a BED file, sorted in the reference's order, overlaps merged.

    Raises:
        BadInput: for a file that is not BED, with the line that is no region of the reference.
    """
    return merge(Span(region.contig, region.start, region.end) for region in read_regions(path, contigs))
