"""Jobs with attempts as AWS Batch makes them, wherever the attempts run: job definition, overrides, retry strategy."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

from genomics_pipeline.engine.events import JobEnded, JobStarted
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.aws_response import require_arguments
from genomics_pipeline.engine.tasks.background import Background
from genomics_pipeline.engine.tasks.batch_request import check_request
from genomics_pipeline.engine.tasks.job import Job, JobDefinition, JobEnd, JobSubmission, environment_of
from genomics_pipeline.engine.tasks.job_detail import JobAttempt, job_detail, unstarted_job_detail
from genomics_pipeline.engine.tasks.job_runner import JobDetail, JobReport, StageItem
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.batch_retry import EXITED, RetryStrategy
from genomics_pipeline.model.container_overrides import OVERRIDES_TOO_LONG, overrides_length

OnFailure = Callable[[Job, JobAttempt], object]  # called in a thread of its own
CANCELLED = "cancelled"  # the reason in the event of a job that was terminated
_ARN = "arn:aws:batch:us-east-1:000000000000:job"


class AttemptedJobs(ABC):
    """A `JobRunner` that submits and retries jobs as AWS Batch does; a subclass runs their attempts.

    Args:
        job_definitions: Job definitions by name.
        on_failure: Called with each attempt that failed, before another one starts; None for nothing.
    """

    def __init__(self, job_definitions: Mapping[str, JobDefinition], on_failure: OnFailure | None = None) -> None:
        self._definitions, self._on_failure = job_definitions, on_failure
        self._background = Background()
        self._ran: set[StageItem] = set()
        self._reused: set[StageItem] = set()

    @abstractmethod
    async def _attempt(self, submission: JobSubmission, job_id: str, number: int, context: TaskContext) -> JobAttempt:
        """Run an attempt of a job to its end; if the caller is cancelled, end it before.

        Args:
            submission: The job's submission.
            job_id: The job's ID.
            number: The number of the attempt, from 1.
            context: The Task that submitted the job.
        """

    async def run(self, arguments: Mapping[str, Any], context: TaskContext) -> JobDetail:
        """Run a job to its end: see `JobRunner.run`."""
        return await self._run_job(self._submission(arguments), str(uuid4()), context)

    async def submit(self, arguments: Mapping[str, Any], context: TaskContext) -> dict[str, str]:
        """Submit a job that runs in the background: see `JobRunner.submit`."""
        submission, job_id = self._submission(arguments), str(uuid4())
        self._background.start(self._run_job(submission, job_id, context))
        return {"JobArn": f"{_ARN}/{job_id}", "JobId": job_id, "JobName": submission.name}

    async def drain(self) -> None:
        """Wait for the jobs in the background."""
        await self._background.drain()

    def report(self) -> JobReport:
        """Return the work of the jobs so far."""
        return JobReport(frozenset(self._ran), frozenset(self._reused))

    def _submission(self, arguments: Mapping[str, Any]) -> JobSubmission:
        name, queue, reference = map(str, require_arguments(arguments, "JobName", "JobQueue", "JobDefinition"))
        check_request(name, arguments)
        definition = reference.rsplit("job-definition/", 1)[-1].split(":")[0]
        declared = self._definitions.get(definition)
        if declared is None:
            raise StatesError("Batch.ClientException", f"JobDefinition not found: {reference}")
        asked = _apply_overrides(declared, arguments)
        environment = environment_of(arguments)
        least = declared.least(asked.memory_mib, environment)
        is_long = overrides_length(arguments.get("ContainerOverrides", {})) > quotas.CONTAINER_OVERRIDES.value
        return JobSubmission(
            name, definition, asked, least, queue, environment, OVERRIDES_TOO_LONG if is_long else None
        )

    async def _run_job(self, submission: JobSubmission, job_id: str, context: TaskContext) -> JobDetail:
        """Run the attempts of a job; a cancelled one is not retried, one that ECS refuses has none."""
        created = time.time()
        if submission.refusal:
            return unstarted_job_detail(submission, job_id, created, submission.refusal)
        attempts = [await self._attempt(submission, job_id, 1, context)]
        while _is_retried(submission, len(attempts), attempts[-1]):
            attempts.append(await self._attempt(submission, job_id, len(attempts) + 1, context))
        return job_detail(submission, job_id, created, attempts)

    async def _run_with_events(
        self, job: Job, submission: JobSubmission, queued: float, context: TaskContext, running: Awaitable[JobEnd]
    ) -> JobAttempt:
        """Wait for the end of an attempt that has started, and emit the events of its start and its end.

        Args:
            job: The attempt; its `cancelled` is set once it was terminated or timed out.
            submission: The job's submission.
            queued: The time since which it waited, in seconds since the epoch.
            context: The Task that submitted the job.
            running: Returns its end.
        """
        which = job.job_id, job.name, job.definition
        where = context.state, context.label, context.index
        started = time.time()
        waited = round(started - queued, 3)
        context.observer(JobStarted(*which, job.vcpus, job.memory_mib, waited, *where, job.usage))
        try:
            end = await running
        except BaseException:
            context.observer(JobEnded(*which, None, CANCELLED, round(time.time() - started, 3), *where))
            raise
        seconds = round(time.time() - started, 3)
        times = started, started + seconds
        is_stopped = job.cancelled.is_set()
        attempt = JobAttempt(*times, end.exit_code, end.status_reason, end.reason, end.log_stream, is_stopped)
        if attempt.failed and self._on_failure is not None:
            await asyncio.to_thread(self._on_failure, job, attempt)
        again = _is_retried(submission, job.attempt, attempt)
        reused = bool(end.report.reused) and not end.report.ran
        context.observer(JobEnded(*which, end.exit_code, _reason(end), seconds, *where, again, reused))
        self._ran |= end.report.ran
        self._reused |= end.report.reused
        return attempt


def _apply_overrides(declared: JobDefinition, arguments: Mapping[str, Any]) -> JobDefinition:
    requirements = arguments.get("ContainerOverrides", {}).get("ResourceRequirements", ())
    overrides = {entry["Type"]: entry["Value"] for entry in requirements}
    return JobDefinition(
        int(overrides.get("VCPU", declared.vcpus)),
        int(overrides.get("MEMORY", declared.memory_mib)),
        arguments.get("Timeout", {}).get("AttemptDurationSeconds", declared.timeout_s),
        RetryStrategy.from_json(arguments["RetryStrategy"]) if "RetryStrategy" in arguments else declared.retry,
    )


def _reason(end: JobEnd) -> str | None:
    """Return the reason of an attempt's failure, if it is known; None if it succeeded."""
    return None if end.exit_code == 0 else end.reason or (end.status_reason if end.status_reason != EXITED else None)


def _is_retried(submission: JobSubmission, number: int, last: JobAttempt) -> bool:
    """Return whether another attempt follows the last one, the `number`th."""
    retry = submission.declared.retry
    may_retry = last.failed and not last.is_stopped and number < retry.attempts
    return may_retry and retry.retries(last.status_reason, last.reason, last.exit_code)
