"""DescribeMapRun's answer, of AWS or of our engine's journal, as a record with typed fields.

Source: API reference of Step Functions, DescribeMapRun.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class MapRunCounts:
    """The counts of a Map Run, of its items or of its child executions.

    Attributes:
        total: How many there are.
        running: How many run now.
        succeeded: How many succeeded.
        failed: How many failed.
        timed_out: How many timed out.
        aborted: How many were aborted.
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
        arn: Its ARN.
        status: RUNNING, SUCCEEDED, FAILED or ABORTED.
        started: Seconds since the epoch.
        stopped: Likewise; None while it runs.
        items: The counts of its items.
        executions: The counts of its child executions.
        results: ``Bucket`` and ``Key`` of the manifest of its result files; None where there are none.
            AWS's answers leave them out.
    """

    arn: str
    status: str
    started: float
    stopped: float | None
    items: MapRunCounts
    executions: MapRunCounts
    results: Mapping[str, str] | None = None

    @property
    def label(self) -> str:
        """The Label, as the ARN has it: ``arn:aws:states:REGION:ACCOUNT:mapRun:MACHINE/LABEL:UUID``."""
        return self.arn.rpartition("/")[2].partition(":")[0]

    @property
    def uuid(self) -> str:
        """The UUID at the end of the ARN."""
        return self.arn.rpartition(":")[2]


def describe_map_run(answer: Mapping[str, Any]) -> MapRunDescription:
    """Return the record of an answer of DescribeMapRun.

    >>> counts = {"total": 3, "running": 0, "succeeded": 2, "failed": 1, "timedOut": 0, "aborted": 0}
    >>> found = describe_map_run({
    ...     "mapRunArn": "arn:aws:states:us-east-1:000000000000:mapRun:germline/Sample:c24b", "status": "SUCCEEDED",
    ...     "startDate": "2026-11-28T10:00:00Z", "itemCounts": counts, "executionCounts": counts})
    >>> found.label, found.uuid, found.items.unsuccessful
    ('Sample', 'c24b', 1)
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
        results=None if details is None else {"Bucket": details["Bucket"], "Key": details["Key"]},
    )


def _counts(given: Mapping[str, int]) -> MapRunCounts:
    return MapRunCounts(
        given["total"], given["running"], given["succeeded"], given["failed"], given["timedOut"], given["aborted"]
    )


def _seconds(moment: datetime | str) -> float:
    """Return seconds since the epoch: boto3 gives a datetime, our engine its text."""
    return (datetime.fromisoformat(moment) if isinstance(moment, str) else moment).timestamp()
