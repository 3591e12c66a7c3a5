"""AWS Batch on this machine: jobs share its cores and memory and are retried by their retry strategies."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from genomics_pipeline.engine.events import JobEnded, JobStarted, Note, Observer
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.admission import Admission, Share
from genomics_pipeline.engine.tasks.aws_response import require_arguments
from genomics_pipeline.engine.tasks.background import Background
from genomics_pipeline.engine.tasks.batch_request import check_request
from genomics_pipeline.engine.tasks.job import (
    Job,
    JobDefinition,
    JobEnd,
    JobSubmission,
    RunAttempt,
    environment_of,
)
from genomics_pipeline.engine.tasks.job_detail import JobAttempt, job_detail, unstarted_job_detail
from genomics_pipeline.engine.tasks.job_runner import JobDetail, JobReport, StageItem
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.batch_retry import EXITED, TIMED_OUT, RetryStrategy
from genomics_pipeline.model.container_overrides import OVERRIDES_TOO_LONG, overrides_length

CANCELLED = "cancelled"  # the reason in the event of a job that was terminated
_ARN = "arn:aws:batch:us-east-1:000000000000:job"
_KILLED = 137


class MachineJobs:
    """A `JobRunner` for this machine.

    Jobs start in the order of their submission, each on a share of the machine; see `admission.Admission`.

    Args:
        job_definitions: Job definitions by name.
        run_attempt: Runs an attempt of a job.
        cores: Cores of the machine.
        memory_mib: Memory of the machine.
        jobs: The greatest number of jobs at the same time; None for as many as fit.
    """

    def __init__(
        self,
        job_definitions: Mapping[str, JobDefinition],
        run_attempt: RunAttempt,
        cores: int,
        memory_mib: int,
        jobs: int | None = None,
    ) -> None:
        self._definitions = job_definitions
        self._run_attempt = run_attempt
        self._admission = Admission(cores, memory_mib, jobs)
        self._threads = ThreadPoolExecutor(max_workers=cores, thread_name_prefix="job")
        self._scaled: set[str] = set()
        self._background = Background()
        self._ran: set[StageItem] = set()
        self._reused: set[StageItem] = set()

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
        attempts = [await self._admit(submission, job_id, 1, context)]
        while _is_retried(submission, len(attempts), attempts[-1]):
            attempts.append(await self._admit(submission, job_id, len(attempts) + 1, context))
        return job_detail(submission, job_id, created, attempts)

    async def _admit(self, submission: JobSubmission, job_id: str, number: int, context: TaskContext) -> JobAttempt:
        """Wait for a share of the machine and run an attempt on it."""
        queued, declared = time.time(), submission.declared
        share = await self._admission.acquire(declared.vcpus, declared.memory_mib, submission.least_mib)
        try:
            self._note_scaling(submission, share, context.observer)
            job = Job(
                job_id,
                submission.name,
                submission.definition,
                submission.queue,
                submission.environment,
                share.vcpus,
                share.memory_mib,
                _scaled_timeout(declared, share),
                number,
                declared.memory_mib,
            )
            return await self._run_with_events(job, submission, queued, context)
        finally:
            self._admission.release(share)

    async def _run_with_events(
        self, job: Job, submission: JobSubmission, queued: float, context: TaskContext
    ) -> JobAttempt:
        """Run an attempt and emit the events of its start and its end."""
        which = job.job_id, job.name, job.definition
        where = context.state, context.label, context.index
        started = time.time()
        context.observer(JobStarted(*which, job.vcpus, job.memory_mib, round(started - queued, 3), *where))
        try:
            end = await self._run_in_thread(job, submission.declared)
        except BaseException:
            context.observer(JobEnded(*which, None, CANCELLED, round(time.time() - started, 3), *where))
            raise
        seconds = round(time.time() - started, 3)
        times = started, started + seconds
        is_stopped = job.cancelled.is_set()
        attempt = JobAttempt(*times, end.exit_code, end.status_reason, end.reason, end.log_stream, is_stopped)
        again = _is_retried(submission, job.attempt, attempt)
        reused = bool(end.report.reused) and not end.report.ran
        context.observer(JobEnded(*which, end.exit_code, _reason(end), seconds, *where, again, reused))
        self._ran |= end.report.ran
        self._reused |= end.report.reused
        return attempt

    async def _run_in_thread(self, job: Job, declared: JobDefinition) -> JobEnd:
        """Run an attempt in a thread; on a timeout or a cancellation, set its event and wait until it has ended."""
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._end_of, job)
        try:
            done, _ = await asyncio.wait([running], timeout=job.timeout_s)
            if not done:
                job.cancelled.set()
            end = await asyncio.shield(running)
            if done:
                return end
            reason = _timeout_reason(job, declared)
            return JobEnd(end.exit_code or _KILLED, reason, end.log_stream, TIMED_OUT, end.report)
        except asyncio.CancelledError:
            job.cancelled.set()
            while not running.done():
                try:
                    await asyncio.wait([running])
                except asyncio.CancelledError:
                    continue
            running.exception()  # retrieved, or asyncio would log it
            raise

    def _end_of(self, job: Job) -> JobEnd:
        """Run an attempt; an exception is the failure of this job and of no other."""
        try:
            return self._run_attempt(job)
        except Exception as error:
            return JobEnd(1, " ".join(f"{type(error).__name__}: {error}".split()))

    def _note_scaling(self, submission: JobSubmission, share: Share, observer: Observer) -> None:
        """Emit a detail, once for each job definition, if its jobs get less than it declares."""
        declared = submission.declared
        scaled = share.vcpus < declared.vcpus or share.memory_mib < declared.memory_mib
        if scaled and submission.definition not in self._scaled:
            self._scaled.add(submission.definition)
            observer(
                Note(
                    f"{submission.definition}: declares {declared.vcpus} vCPUs and {declared.memory_mib} MiB, "
                    f"scaled down to {share.vcpus} and {share.memory_mib} MiB to fit this machine",
                    is_detail=True,
                )
            )


def _scaled_timeout(declared: JobDefinition, share: Share) -> int | None:
    """Return the timeout of a job, longer in proportion where it has fewer cores than it declares."""
    if declared.timeout_s is None or share.vcpus >= declared.vcpus:
        return declared.timeout_s
    return math.ceil(declared.timeout_s * declared.vcpus / share.vcpus)


def _timeout_reason(job: Job, declared: JobDefinition) -> str | None:
    """Return the message about a timeout that was longer than declared; AWS gives no reason for its timeouts."""
    if job.timeout_s == declared.timeout_s:
        return None
    return (
        f"timed out after {job.timeout_s:,} s: the timeout of {declared.timeout_s:,} s for {declared.vcpus} cores, "
        f"longer in proportion since it had {job.vcpus}"
    )


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
