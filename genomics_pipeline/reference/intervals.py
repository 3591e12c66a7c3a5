"""The intervals that a cohort stage is scattered over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from genomics_pipeline.model.interval_limits import IntervalLimits
from genomics_pipeline.reference.fai import Contig

Targets = Mapping[str, Sequence[tuple[int, int]]]  # starts and ends, counted from 0, by contig


class Piece(NamedTuple):
    """Bases [start, end) of a contig, counted from 0, and the number of those that there is work for."""

    contig: str
    start: int
    end: int
    bases: int


def windows(contigs: Iterable[Contig], limits: IntervalLimits, targets: Targets | None = None) -> Iterator[list[str]]:
    """Yield groups of 1-based closed regions, in the reference's order, each within the limits.

    A long contig is divided; consecutive short ones share a group. With targets, only their bases are counted, and what
    lies before the first and behind the last target of a region is left out.

    Args:
        contigs: The contigs of the reference.
        limits: The limits of a group.
        targets: The targets by contig, sorted, without overlaps; None for the whole reference.

    >>> contigs = [Contig("a", 25), Contig("b", 3), Contig("c", 4)]
    >>> list(windows(contigs, IntervalLimits(bases=10, text_bytes=1000)))
    [['a:1-10'], ['a:11-20'], ['a:21-25', 'b:1-3'], ['c:1-4']]
    >>> list(windows(contigs, IntervalLimits(bases=100, text_bytes=20)))
    [['a:1-25', 'b:1-3'], ['c:1-4']]
    >>> list(windows(contigs, IntervalLimits(bases=10, text_bytes=1000), {"a": [(2, 4), (5, 17)], "c": [(0, 2)]}))
    [['a:3-13'], ['a:14-17', 'c:1-2']]
    """
    group: list[str] = []
    group_bp = group_bytes = 0
    for contig, length_bp in contigs:
        spans = [(0, length_bp)] if targets is None else targets.get(contig, ())
        for piece in _pieces(contig, spans, limits.bases):
            region = f"{contig}:{piece.start + 1}-{piece.end}"
            region_bytes = len(json.dumps(region)) + 1  # with its comma
            full = group_bp + piece.bases > limits.bases or group_bytes + region_bytes > limits.text_bytes
            if group and full:
                yield group
                group, group_bp, group_bytes = [], 0, 0
            group.append(region)
            group_bp += piece.bases
            group_bytes += region_bytes
    if group:
        yield group


def _pieces(contig: str, spans: Iterable[tuple[int, int]], size: int) -> Iterator[Piece]:
    """Yield pieces of a contig that hold at most `size` bases of the spans each, from their first to their last base.

    Args:
        contig: The name of the contig.
        spans: Starts and ends, sorted, without overlaps.
        size: The most bases.
    """
    first, last, bases = -1, -1, 0
    for start, end in spans:
        while start < end:
            if bases == size:
                yield Piece(contig, first, last, bases)
                bases = 0
            if bases == 0:
                first = start
            last = min(end, start + size - bases)
            bases += last - start
            start = last
    if bases:
        yield Piece(contig, first, last, bases)


def merged_targets(regions: Iterable[tuple[str, int, int]]) -> Targets:
    """Return regions, in any order, as targets.

    >>> merged_targets([("b", 5, 9), ("a", 0, 3), ("b", 2, 6)])
    {'b': [(2, 9)], 'a': [(0, 3)]}
    """
    targets: dict[str, list[tuple[int, int]]] = {}
    for contig, start, end in regions:
        targets.setdefault(contig, []).append((start, end))
    for contig, spans in targets.items():
        merged: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((start, end))
        targets[contig] = merged
    return targets


def interval_lines(contigs: Iterable[Contig], limits: IntervalLimits, targets: Targets | None = None) -> str:
    """Return the text of ``intervals.jsonl``: a line for each item of the Distributed Map over intervals.

    Args:
        contigs: The contigs of the reference.
        limits: The limits of an interval.
        targets: See `windows`.
    """
    return "".join(
        json.dumps({"interval": f"{number:05d}", "regions": regions}, separators=(",", ":")) + "\n"
        for number, regions in enumerate(windows(contigs, limits, targets))
    )


def region_bases(region: str) -> int:
    """Return the length of a region.

    >>> region_bases("chr1:11-20")
    10
    """
    start, _, end = region.rpartition(":")[2].partition("-")
    return int(end) - int(start) + 1
