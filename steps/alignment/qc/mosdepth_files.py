"""The files that mosdepth writes in its fast mode, without depths of single bases.

In fast mode (``mosdepth --no-per-base --fast-mode``) a read counts from its start to its end, deletions included, and
bases where both mates lie count twice. Numbers have five decimals, as with ``MOSDEPTH_PRECISION=5``.
Source: https://github.com/brentp/mosdepth
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from qc.tally import THRESHOLDS, Tally

Counts = NDArray[np.int64]
_SMALLEST_SHARE = 8e-5  # of a line of a distribution
_CONTINUOUS = 300  # up to this depth, a distribution has a line for each
_HEADER = "chrom\tlength\tbases\tmean\tmin\tmax\n"


def texts(tally: Tally) -> dict[str, str]:
    """Return the content of each file, by the name of the step's output."""
    found = {
        "depth_summary": summary(tally),
        "depth_distribution": distribution((one.name, one.depths) for one in tally.contigs),
    }
    if tally.has_regions:
        found["region_distribution"] = distribution((one.name, one.region_depths) for one in tally.contigs)
    return found


def tables(tally: Tally) -> dict[str, str]:
    """Return the content of each BED file, by the name of the step's output."""
    if not tally.has_regions:
        return {}
    return {"region_depth": region_means(tally), "region_thresholds": region_thresholds(tally)}


def all_depths(tally: Tally) -> Counts:
    """Return the number of positions of the reference of each depth."""
    return total(one.depths for one in tally.contigs)


def target_depths(tally: Tally) -> Counts:
    """Return the number of positions of each depth: of the regions where there are some, else of the reference."""
    return total(one.region_depths for one in tally.contigs) if tally.has_regions else all_depths(tally)


def distribution(rows: Iterable[tuple[str, Counts]]) -> str:
    """Return the share of positions that reach each depth, of each contig and in total.

    Args:
        rows: The name of each contig, with its number of positions by depth.
    """
    named = [(name, counts) for name, counts in rows if counts.sum()]
    return "".join(
        line
        for name, counts in [*named, ("total", total(counts for _, counts in named))]
        for line in _lines(name, counts)
    )


def _lines(name: str, counts: Counts) -> Iterator[str]:
    shares = np.cumsum(counts[::-1])[::-1] / max(1, counts.sum())
    for depth in range(len(counts) - 1, -1, -1):
        if shares[depth] >= _SMALLEST_SHARE and (depth <= _CONTINUOUS or counts[depth]):
            yield f"{name}\t{depth}\t{shares[depth]:.5f}\n"


def total(rows: Iterable[Counts]) -> Counts:
    """Return the sum of histograms."""
    counts = list(rows)
    longest = max((len(one) for one in counts), default=1)
    sums = np.zeros(longest, np.int64)
    for one in counts:
        sums[: len(one)] += one
    return sums


def summary(tally: Tally) -> str:
    """Return length, bases, mean, least and greatest depth of each contig and in total, the same of its regions."""
    rows: list[tuple[str, Counts]] = []
    for one in tally.contigs:
        rows.append((one.name, one.depths))
        if one.regions:
            rows.append((f"{one.name}_region", one.region_depths))
    rows.append(("total", all_depths(tally)))
    if tally.has_regions:
        rows.append(("total_region", target_depths(tally)))
    return _HEADER + "".join(_summary_row(name, counts) for name, counts in rows)


def _summary_row(name: str, counts: Counts) -> str:
    length, bases = int(counts.sum()), bases_of(counts)
    seen = np.flatnonzero(counts)
    return f"{name}\t{length}\t{bases}\t{bases / max(1, length):.5f}\t{seen[0]}\t{seen[-1]}\n"


def bases_of(counts: Counts) -> int:
    """Return the sum of the depths of all positions."""
    return int(np.dot(counts, np.arange(len(counts))))


def region_means(tally: Tally) -> str:
    """Return the mean depth of each region, as BED."""
    lines = []
    for one in (region for contig in tally.contigs for region in contig.regions):
        contig, start, end, name, _ = one.region
        columns = [contig, str(start), str(end), *([name] if name else []), f"{one.bases / (end - start):.5f}"]
        lines.append("\t".join(columns) + "\n")
    return "".join(lines)


def region_thresholds(tally: Tally) -> str:
    """Return the number of positions of each region that reach each threshold, as BED."""
    lines = ["#chrom\tstart\tend\tregion\t" + "\t".join(f"{depth}X" for depth in THRESHOLDS) + "\n"]
    for one in (region for contig in tally.contigs for region in contig.regions):
        contig, start, end, name, _ = one.region
        lines.append("\t".join([contig, str(start), str(end), name or "unknown", *map(str, one.reached)]) + "\n")
    return "".join(lines)
