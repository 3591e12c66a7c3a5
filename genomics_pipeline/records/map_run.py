"""Answers of DescribeMapRun, by AWS or from the engine's journal, as records with typed fields.

Source: API reference of Step Functions, DescribeMapRun.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from genomics_pipeline.model.tolerance import tolerated_samples


@dataclass(frozen=True, slots=True)
class MapRunCounts:
    """The counts of a Map Run, of its items or of its child executions.

    Attributes:
        total: The number of all.
        running: The number of those that run.
        succeeded: The number of those that succeeded.
        failed: The number of those that failed.
        timed_out: The number of those that timed out.
        aborted: The number of those that were aborted.
    """

    total: int
    running: int
    succeeded: int
    failed: int
    timed_out: int
    aborted: int

    @property
    def unsuccessful(self) -> int:
        """The number of those that failed, timed out or were aborted."""
        return self.failed + self.timed_out + self.aborted


@dataclass(frozen=True, slots=True)
class MapRunDescription:
    """One Map Run.

    Attributes:
        arn: The ARN of the Map Run.
        status: RUNNING, SUCCEEDED, FAILED or ABORTED.
        started: The start, in seconds since the epoch.
        stopped: The end, in seconds since the epoch; None while it runs.
        items: The counts of its items.
        executions: The counts of its child executions.
        tolerated_count: The failed items that do not fail it.
        tolerated_percentage: The same, in percent of its items; both count in the definitions of this package.
        results: ``Bucket`` and ``Key`` of the manifest of its result files; None if there are none, and in AWS's
            answers, which lack them.
    """

    arn: str
    status: str
    started: float
    stopped: float | None
    items: MapRunCounts
    executions: MapRunCounts
    tolerated_count: int
    tolerated_percentage: float
    results: Mapping[str, str] | None = None

    @property
    def label(self) -> str:
        """The Label, as the ARN has it: ``arn:aws:states:REGION:ACCOUNT:mapRun:MACHINE/LABEL:UUID``."""
        return self.arn.rpartition("/")[2].partition(":")[0]

    @property
    def uuid(self) -> str:
        """The UUID at the end of the ARN."""
        return self.arn.rpartition(":")[2]

    @property
    def tolerated(self) -> int:
        """The greatest number of its items that may fail, by both limits."""
        limits = {"count": self.tolerated_count, "percentage": self.tolerated_percentage}
        return tolerated_samples(limits, self.items.total)

    @property
    def is_exceeded(self) -> bool:
        """True if it failed because more items failed than are tolerated."""
        return self.status == "FAILED" and self.items.failed + self.items.timed_out > self.tolerated


def describe_map_run(answer: Mapping[str, Any]) -> MapRunDescription:
    """Return an answer of DescribeMapRun as a record.

    >>> counts = {"total": 3, "running": 0, "succeeded": 2, "failed": 1, "timedOut": 0, "aborted": 0}
    >>> map_run = describe_map_run({
    ...     "mapRunArn": "arn:aws:states:us-east-1:000000000000:mapRun:germline/Sample:c24b", "status": "SUCCEEDED",
    ...     "startDate": "2026-11-28T10:00:00Z", "itemCounts": counts, "executionCounts": counts,
    ...     "toleratedFailureCount": 100, "toleratedFailurePercentage": 50})
    >>> map_run.label, map_run.uuid, map_run.items.unsuccessful, map_run.tolerated
    ('Sample', 'c24b', 1, 1)
    """
    details = answer.get("resultWriterDetails")
    stopped = answer.get("stopDate")
    return MapRunDescription(
        arn=answer["mapRunArn"],
        status=answer["status"],
        started=_seconds(answer["startDate"]),
        stopped=None if stopped is None else _seconds(stopped),
        items=_counts(answer["itemCounts"]),
        executions=_counts(answer["executionCounts"]),
        tolerated_count=answer["toleratedFailureCount"],
        tolerated_percentage=answer["toleratedFailurePercentage"],
        results=None if details is None else {"Bucket": details["Bucket"], "Key": details["Key"]},
    )


def _counts(counts: Mapping[str, int]) -> MapRunCounts:
    return MapRunCounts(
        counts["total"], counts["running"], counts["succeeded"], counts["failed"], counts["timedOut"], counts["aborted"]
    )


def _seconds(moment: datetime | str) -> float:
    """Convert a time to seconds since the epoch: boto3 returns a datetime, the engine its text."""
    return (datetime.fromisoformat(moment) if isinstance(moment, str) else moment).timestamp()
