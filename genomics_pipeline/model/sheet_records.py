"""Lanes with FASTQ files as records: the source ``SHEET`` of a pipeline over records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from genomics_pipeline.model.sample import Sample


def lane_records(samples: Iterable[Sample]) -> Iterator[dict[str, Any]]:
    """Yield a record for each lane with FASTQ files, in the order of the samples.

    It has ``sample``, ``lane``, ``fastq_1``, and where there are some ``fastq_2``, ``library``, the sheet's ``line``,
    and ``of_library``, the first file of the first lane of the same library, whose reads have the same index.
    """
    for sample in samples:
        first: dict[str | None, str] = {}
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
            yield {name: value for name, value in members.items() if value is not None}
