"""The intervals that a cohort stage is scattered over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from genomics_pipeline.reference.fai import Contig


def windows(contigs: Iterable[Contig], size_bp: int) -> Iterator[list[str]]:
    """Yield groups of 1-based closed regions, in the reference's order, each of at most `size_bp` bases.

    A long contig is divided; consecutive short ones share a group.

    >>> list(windows([Contig("a", 25), Contig("b", 3), Contig("c", 4)], 10))
    [['a:1-10'], ['a:11-20'], ['a:21-25', 'b:1-3'], ['c:1-4']]
    """
    group: list[str] = []
    group_bp = 0
    for name, length_bp in contigs:
        for start in range(0, length_bp, size_bp):
            end = min(start + size_bp, length_bp)
            if group and group_bp + end - start > size_bp:
                yield group
                group, group_bp = [], 0
            group.append(f"{name}:{start + 1}-{end}")
            group_bp += end - start
    if group:
        yield group


def interval_lines(contigs: Iterable[Contig], size_bp: int) -> str:
    """Return the text of ``intervals.jsonl``: a line for each item of the Distributed Map over intervals."""
    return "".join(
        json.dumps({"interval": f"{number:05d}", "regions": regions}, separators=(",", ":")) + "\n"
        for number, regions in enumerate(windows(contigs, size_bp))
    )
