"""A runner of jobs whose submissions may be throttled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.aws_response import optimised_cause
from genomics_pipeline.engine.tasks.job import environment_of
from genomics_pipeline.engine.tasks.job_runner import JobDetail, JobReport, JobRunner
from genomics_pipeline.language.errors import StatesError


class ThrottledJobs:
    """A `JobRunner` that throttles some submissions and passes the others on.

    Args:
        runner: The runner of the jobs that are not throttled.
        is_throttled: Returns whether to throttle the submission of the job with an environment.
    """

    def __init__(self, runner: JobRunner, is_throttled: Callable[[Mapping[str, str]], bool]) -> None:
        self._runner = runner
        self._is_throttled = is_throttled

    async def run(self, arguments: Mapping[str, Any], context: TaskContext) -> JobDetail:
        """Run a job: see `JobRunner.run`."""
        self._throttle(arguments)
        return await self._runner.run(arguments, context)

    async def submit(self, arguments: Mapping[str, Any], context: TaskContext) -> dict[str, str]:
        """Submit a job: see `JobRunner.submit`."""
        self._throttle(arguments)
        return await self._runner.submit(arguments, context)

    async def drain(self) -> None:
        """Wait for the jobs of the other runner."""
        await self._runner.drain()

    def report(self) -> JobReport:
        """Return the work of the jobs of the other runner."""
        return self._runner.report()

    def _throttle(self, arguments: Mapping[str, Any]) -> None:
        """Raise the error of a throttled SubmitJob, if this submission is throttled.

        Sources: the form, ASFHyP3/hyp3 issue 911, for another code that the model of Batch does not name; status and
        code of a throttled call, nextflow issue 710.
        """
        if self._is_throttled(environment_of(arguments)):
            cause = optimised_cause("Too Many Requests", "AWSBatch", 429, "TooManyRequestsException")
            raise StatesError("Batch.AWSBatchException", cause)
