"""Lanes with FASTQ files as records: the source ``SHEET`` of a pipeline over records."""

from __future__ import annotations

import json
from collections.abc import Iterator

from genomics_pipeline.model.sample import Sample


def record_lines(sample: Sample) -> str:
    """Return a line of JSON for each lane of a sample with FASTQ files.

    It has ``sample``, ``lane``, ``fastq_1``, and where there are some ``fastq_2``, ``library``, the sheet's ``line``,
    and ``of_library``, the first file of the first lane of the same library, whose reads have the same index.
    """
    first: dict[str | None, str] = {}
    lines = []
    for lane in sample.lanes:
        if lane.fastq_1 is None:
            continue
        other = first.setdefault(lane.library, lane.fastq_1)
        members = {
            "sample": sample.sample,
            "lane": lane.lane,
            "fastq_1": lane.fastq_1,
            "fastq_2": lane.fastq_2,
            "library": lane.library,
            "line": lane.line,
            "of_library": None if other == lane.fastq_1 else other,
        }
        given = {name: value for name, value in members.items() if value is not None}
        lines.append(f"{json.dumps(given, separators=(',', ':'), ensure_ascii=False)}\n")
    return "".join(lines)


def lane_files(sample: Sample) -> Iterator[str]:
    """Yield the FASTQ files of a sample, in the order of its lanes."""
    for lane in sample.lanes:
        yield from filter(None, (lane.fastq_1, lane.fastq_2))
