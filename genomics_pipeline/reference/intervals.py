"""The intervals that a cohort stage is scattered over, from a FASTA index."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from genomics_pipeline.model.errors import DataError


def contigs(fai: str, *, file: str) -> list[tuple[str, int]]:
    """The (name, length_bp) of each contig of a ``.fai``, in its order.

    Raises:
        DataError: for a line that does not hold a name and a length.
    """
    found = []
    for line in fai.splitlines():
        fields = line.split("\t")
        if len(fields) < 2 or not fields[1].isdigit():
            raise DataError(f"{file}: expected a FASTA index (name, length, …), found {line!r}")
        found.append((fields[0], int(fields[1])))
    return found


def windows(sizes: Iterable[tuple[str, int]], size_bp: int) -> Iterator[list[str]]:
    """Groups of 1-based closed regions, in reference order, each of about `size_bp` bases.

    A long contig is cut; short neighbours share a group.

    >>> list(windows([("a", 25), ("b", 3), ("c", 4)], 10))
    [['a:1-10'], ['a:11-20'], ['a:21-25', 'b:1-3'], ['c:1-4']]
    """
    group: list[str] = []
    held = 0
    for name, length in sizes:
        for start in range(0, length, size_bp):
            end = min(start + size_bp, length)
            if group and held + end - start > size_bp:
                yield group
                group, held = [], 0
            group.append(f"{name}:{start + 1}-{end}")
            held += end - start
    if group:
        yield group


def interval_lines(sizes: Iterable[tuple[str, int]], size_bp: int) -> str:
    """The text of ``intervals.jsonl``: one item a line for the Distributed Map over intervals."""
    return "".join(
        json.dumps({"interval": f"{number:05d}", "regions": regions}, separators=(",", ":")) + "\n"
        for number, regions in enumerate(windows(sizes, size_bp))
    )
