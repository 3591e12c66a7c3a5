"""The intervals that a cohort stage is scattered over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from genomics_pipeline.model.interval_limits import IntervalLimits
from genomics_pipeline.reference.fai import Contig


def windows(contigs: Iterable[Contig], limits: IntervalLimits) -> Iterator[list[str]]:
    """Yield groups of 1-based closed regions, in the reference's order, each within the limits.

    A long contig is divided; consecutive short ones share a group.

    >>> contigs = [Contig("a", 25), Contig("b", 3), Contig("c", 4)]
    >>> list(windows(contigs, IntervalLimits(bases=10, text_bytes=1000)))
    [['a:1-10'], ['a:11-20'], ['a:21-25', 'b:1-3'], ['c:1-4']]
    >>> list(windows(contigs, IntervalLimits(bases=100, text_bytes=20)))
    [['a:1-25', 'b:1-3'], ['c:1-4']]
    """
    group: list[str] = []
    group_bp = group_bytes = 0
    for name, length_bp in contigs:
        for start in range(0, length_bp, limits.bases):
            end = min(start + limits.bases, length_bp)
            region = f"{name}:{start + 1}-{end}"
            region_bytes = len(json.dumps(region)) + 1  # with its comma
            full = group_bp + end - start > limits.bases or group_bytes + region_bytes > limits.text_bytes
            if group and full:
                yield group
                group, group_bp, group_bytes = [], 0, 0
            group.append(region)
            group_bp += end - start
            group_bytes += region_bytes
    if group:
        yield group


def interval_lines(contigs: Iterable[Contig], limits: IntervalLimits) -> str:
    """Return the text of ``intervals.jsonl``: a line for each item of the Distributed Map over intervals."""
    return "".join(
        json.dumps({"interval": f"{number:05d}", "regions": regions}, separators=(",", ":")) + "\n"
        for number, regions in enumerate(windows(contigs, limits))
    )
