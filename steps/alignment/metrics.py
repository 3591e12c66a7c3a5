"""The metrics of one sample's alignments."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pysam


class Counts(NamedTuple):
    """Counts of reads by their primary alignments."""

    reads: int = 0
    mapped: int = 0
    properly_paired: int = 0

    @classmethod
    def from_flags(cls, flags: Sequence[int]) -> Counts:
        """Count reads by the flags of their primary alignments."""
        mapped = sum([not flag & pysam.FUNMAP for flag in flags])
        return cls(len(flags), mapped, sum([flag & pysam.FPROPER_PAIR for flag in flags]) // pysam.FPROPER_PAIR)

    def add(self, other: Counts) -> Counts:
        """Return the sum of these counts and the others."""
        return Counts(*map(operator.add, self, other))


def summarise(counts: Counts, stats: Path, quality: Path) -> dict[str, Any]:
    """Return the content of the metrics file.

    Args:
        counts: The counts of all reads.
        stats: The output of ``samtools stats``.
        quality: The metrics of quality control.
    """
    lines = [line.split("\t") for line in stats.read_text().splitlines() if line.startswith("IS\t")]
    measured = json.loads(quality.read_text())
    duplicates = measured.pop("duplicates")
    return {
        "reads": counts.reads,
        "mapped": counts.mapped,
        "mapped_fraction": _fraction(counts.mapped, counts.reads),
        "properly_paired": counts.properly_paired,
        "duplicates": duplicates,
        "duplicate_fraction": _fraction(duplicates, counts.mapped),
        "median_insert_size_bp": _median(lines),
        **measured,
    }


def _fraction(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


def _median(lines: list[list[str]]) -> int | None:
    """Return the median insert size in bp of the pairs that samtools counts (lines IS); None if there are none."""
    pairs = [(int(line[1]), int(line[2])) for line in lines]
    return next(_sizes_from(sum(count for _, count in pairs) / 2, pairs), None)


def _sizes_from(rank: float, pairs: list[tuple[int, int]]) -> Iterator[int]:
    """Yield the sizes of the pairs from a rank on, of (size, count) in order of size."""
    total = 0
    for size, count in pairs:
        total += count
        if count and total >= rank:
            yield size
