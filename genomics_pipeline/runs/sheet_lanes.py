"""The lanes of a sample sheet as the records of a run: what a pipeline with the source ``SHEET`` reads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.sheet_records import lane_records
from genomics_pipeline.runs.manifests import read_manifest


@dataclass(frozen=True, slots=True)
class SheetLanes:
    """The lanes with FASTQ files of a sample sheet.

    Attributes:
        text: A line of JSON for each, the execution's records.
        count: Their number.
        files: Their files, in order.
    """

    text: str
    count: int
    files: tuple[str, ...]


def read_sheet_lanes(sheet: str) -> SheetLanes:
    """Return the lanes of the sheet at a path or URI.

    Raises:
        UsageError: without a sheet.
        DataError: if it cannot be read; with all problems in it, or if it has no FASTQ files.
    """
    return sheet_lanes(read_manifest(sheet), sheet)


def sheet_lanes(samples: Iterable[Sample], sheet: str) -> SheetLanes:
    """Return the lanes of samples.

    Args:
        samples: The samples.
        sheet: The path or URI of their sheet, for messages.

    Raises:
        DataError: if they have no FASTQ files.
    """
    records = list(lane_records(samples))
    if not records:
        message = "expected lanes with FASTQ files (fastq_1), found none"
        raise DataError(Problem(message, without_secrets(sheet)))
    text = "".join(f"{json.dumps(one, separators=(',', ':'), ensure_ascii=False)}\n" for one in records)
    files = tuple(one[name] for one in records for name in ("fastq_1", "fastq_2") if name in one)
    return SheetLanes(text, len(records), files)
