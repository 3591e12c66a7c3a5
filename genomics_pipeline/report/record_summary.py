"""The summary of a run over records: what ``run --json`` prints, ``run.json`` keeps and people read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from genomics_pipeline.model.quantity import binary_size, quantity
from genomics_pipeline.report.duration import duration
from genomics_pipeline.report.ledger import missing_lines
from genomics_pipeline.report.run_state import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSummary:
    """The summary of a run over records, reruns included.

    Attributes:
        run: The folder of the run.
        status: The status of the newest execution: SUCCEEDED or FAILED.
        records: The number of records of the run.
        ran: The number of records that the newest execution ran.
        results: The number of lines by file of results.
        files: The size in bytes of each file that a stage that gathers wrote.
        missing: The records without a result; None where all have one.
        accepted: The greatest ``percentage`` and ``count`` of records that the user accepts to miss; None for none.
        seconds: The duration of the newest execution.
        error: The message of its failure; None unless it failed.
    """

    run: str
    status: str
    records: int
    ran: int
    results: Mapping[str, int]
    files: Mapping[str, int] = field(default_factory=dict)
    missing: Missing | None = None
    accepted: Mapping[str, float] | None = None
    seconds: float = 0.0
    error: str | None = None

    @property
    def is_accepted(self) -> bool:
        """Tell whether the run succeeded with all records but those that the user accepts to miss."""
        if self.status != "SUCCEEDED" or self.error:
            return False
        return self.missing is None or self.missing.is_accepted(self.accepted)

    def with_keys(self) -> RecordSummary:
        """Return the summary with keys below the run for paths, as its record has them: the folder may be moved."""
        results, files = (
            {name.removeprefix(f"{self.run}/"): size for name, size in named.items()}
            for named in (self.results, self.files)
        )
        return replace(self, run=".", results=results, files=files)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``run --json`` prints."""
        rate = {"records_per_s": round(self.ran / self.seconds, 1)} if self.seconds and self.ran else {}
        missing = {"missing": {**self.missing.to_json(), "accepted": self.is_accepted}} if self.missing else {}
        return {
            "run": self.run,
            "status": self.status,
            "complete": self.missing is None,
            "records": self.records,
            "ran": self.ran,
            "results": dict(self.results),
            **({"files": dict(self.files)} if self.files else {}),
            **missing,
            "seconds": self.seconds,
            **rate,
            **({"error": self.error} if self.error else {}),
        }


def summary_lines(summary: RecordSummary) -> Iterator[str]:
    r"""Yield the lines about a run over records that ended.

    >>> print(*summary_lines(RecordSummary(run="day", status="SUCCEEDED", records=2000, ran=2000, seconds=2.0,
    ...                                    results={"day/results/detect.jsonl": 7})), sep="\n")
    day: SUCCEEDED, 2,000 records, 2 s, 1,000 records a second
    results: day/results/detect.jsonl (7 lines)
    """
    rate = f", {summary.ran / summary.seconds:,.0f} records a second" if summary.seconds and summary.ran else ""
    size = quantity(summary.records, "record", ",")
    yield f"{summary.run}: {summary.status}, {size}, {duration(summary.seconds)}{rate}"
    for file, lines in summary.results.items():
        yield f"results: {file} ({quantity(lines, 'line', ',')})"
    for file, size_bytes in summary.files.items():
        yield f"results: {file} ({binary_size(size_bytes)})"
    if summary.error:
        yield f"error: {summary.error}"
    if summary.missing:
        succeeded = summary.status == "SUCCEEDED"
        yield from missing_lines(summary.missing, summary.run, succeeded, summary.is_accepted)
