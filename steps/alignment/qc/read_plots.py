"""Plots of the reads for MultiQC: base qualities by cycle, and GC content, from the output of ``samtools stats``.

MultiQC itself shows other parts of that output. Its custom content is a JSON file whose name ends with ``_mqc.json``;
files of one ``id`` are one plot. Source: https://docs.seqera.io/multiqc/custom_content
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

ENDS = ("first", "last")  # read 1 or single, read 2, as samtools names them
Points = dict[str, float]


class Plot(NamedTuple):
    """The words of a plot, and its axes."""

    title: str
    description: str
    axes: Mapping[str, str | int]


QUALITY_PLOT = Plot(
    "Base quality by cycle",
    "Mean base quality of all reads, in the order in which they were sequenced, from samtools stats.",
    {"xlab": "Cycle", "ylab": "Mean base quality", "ymin": 0},
)
GC_PLOT = Plot(
    "GC content of reads",
    "Share of all reads by their GC content, from samtools stats.",
    {"xlab": "GC content (%)", "ylab": "Reads (%)", "xmin": 0, "xmax": 100, "ymin": 0},
)


def write_read_plots(sample: str, stats: Path, outputs: Mapping[str, str]) -> None:
    """Write the plots of a sample.

    Args:
        sample: Its name.
        stats: The output of ``samtools stats``.
        outputs: The paths of the step's outputs.
    """
    rows: dict[str, list[list[str]]] = {}
    for line in stats.read_text().splitlines():
        section, *values = line.split("\t")
        if section in ("FFQ", "LFQ", "GCF", "GCL"):
            rows.setdefault(section, []).append(values)
    qualities = {end: mean_qualities(rows.get(f"{end[0].upper()}FQ", ())) for end in ENDS}
    gc = {end: gc_shares(rows.get(f"GC{end[0].upper()}", ())) for end in ENDS}
    for name, plot, ends in (("base_quality", QUALITY_PLOT, qualities), ("gc_content", GC_PLOT, gc)):
        Path(outputs[name]).write_text(_plot_text(name, plot, sample, ends))


def mean_qualities(rows: Iterable[list[str]]) -> Points:
    """Return the mean quality of each cycle.

    Args:
        rows: A cycle, and the number of its bases of each quality from 0 on.
    """
    means = {}
    for cycle, *counts in rows:
        numbers = [int(count) for count in counts]
        if bases := sum(numbers):
            means[cycle] = round(sum(quality * number for quality, number in enumerate(numbers)) / bases, 3)
    return means


def gc_shares(rows: Iterable[list[str]]) -> Points:
    """Return the share of reads in percent, by GC content in percent.

    Args:
        rows: A GC content in percent, and the number of reads up to it from the one before.
    """
    counts = [(content, int(number)) for content, number in rows]
    reads = sum(number for _, number in counts)
    return {content: round(100 * number / reads, 4) for content, number in counts} if reads else {}


def _plot_text(name: str, plot: Plot, sample: str, ends: Mapping[str, Points]) -> str:
    """Return the JSON of a line plot, with a line for each end that was sequenced."""
    members = {
        "id": name,
        "section_name": plot.title,
        "description": plot.description,
        "plot_type": "linegraph",
        "pconfig": {"id": f"{name}_plot", "title": f"Reads: {plot.title}", **plot.axes},
        "data": {f"{sample} R{number}": ends[end] for number, end in enumerate(ENDS, 1) if ends[end]},
    }
    return json.dumps(members, indent=2) + "\n"
