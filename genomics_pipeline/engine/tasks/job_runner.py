"""The port through which Batch tasks run their jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from genomics_pipeline.engine.execution import TaskContext

JobDetail = dict[str, Any]  # a job as DescribeJobs describes it, in PascalCase
StageItem = tuple[str, str]  # (stage, item)


@dataclass(frozen=True, slots=True)
class JobReport:
    """The work of jobs that succeeded, as (stage, item) pairs.

    Attributes:
        ran: The items that a stage ran over.
        reused: The items that a stage had already completed.
    """

    ran: frozenset[StageItem] = frozenset()
    reused: frozenset[StageItem] = frozenset()


NO_WORK = JobReport()


def join_reports(reports: Iterable[JobReport]) -> JobReport:
    """Return one report of the work in several reports."""
    ran, reused = set[StageItem](), set[StageItem]()
    for report in reports:
        ran |= report.ran
        reused |= report.reused
    return JobReport(frozenset(ran), frozenset(reused))


class JobRunner(Protocol):
    """A place where jobs run: processes or containers of this machine, AWS Batch, or the scheduler of a cluster."""

    async def run(self, arguments: Mapping[str, Any], context: TaskContext) -> JobDetail:
        """Submit a job, wait for its end and return its detail, whose ``Status`` is SUCCEEDED or FAILED.

        If the caller is cancelled, the job is terminated before the cancellation is passed on.

        Args:
            arguments: The arguments of SubmitJob, in PascalCase.
            context: The Task that submits it.

        Raises:
            StatesError: ``Batch.…`` if it cannot be submitted or followed; ``States.Runtime`` for wrong arguments.
        """

    async def submit(self, arguments: Mapping[str, Any], context: TaskContext) -> dict[str, str]:
        """Submit a job, do not wait for it, and return ``{JobArn, JobId, JobName}``; arguments and errors as `run`."""

    async def drain(self) -> None:
        """Wait for the submitted jobs that would end with this process."""

    def report(self) -> JobReport:
        """Return the work of the jobs so far; it is empty where jobs do not report it, as in AWS Batch."""
