"""``batch:submitJob(.sync)`` on this machine: jobs share its cores and memory and are run by a function."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from genomics_pipeline.engine.events import JobEnded, JobStarted, Note, Observer
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.admission import Admission, Share
from genomics_pipeline.engine.tasks.aws_response import required
from genomics_pipeline.engine.tasks.background import Background
from genomics_pipeline.engine.tasks.job_detail import JobAttempt, cause_of, detail
from genomics_pipeline.language.errors import TASK_FAILED, StatesError
from genomics_pipeline.model.batch_retry import ONCE, TIMED_OUT, RetryStrategy

SUBMIT_JOB = "arn:aws:states:::batch:submitJob"
_ARN = "arn:aws:batch:us-east-1:000000000000:job"

EXITED = "Essential container in task exited"  # AWS Batch's own words, which failures are told apart by
CANCELLED = "cancelled"  # the reason of what was told to end
_KILLED = 137


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """What a job of this kind asks for.

    Attributes:
        vcpus: Cores.
        memory_mib: Memory.
        timeout_s: Longest run of one attempt, unless the submission says otherwise.
        retry: What is tried again, unless the submission says otherwise.
    """

    vcpus: int
    memory_mib: int
    timeout_s: int | None = None
    retry: RetryStrategy = ONCE


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt of a job, as the function that runs it is given it.

    Attributes:
        job_id: A UUID, the same for all attempts.
        name: Its ``JobName``.
        definition: Its job definition's name.
        queue: Its ``JobQueue``.
        environment: ``ContainerOverrides.Environment``.
        vcpus: The cores it may use: what is declared, scaled down to this machine.
        memory_mib: The memory it may use, likewise.
        timeout_s: When `cancelled` is set at the latest, in seconds after its start.
        attempt: ``AWS_BATCH_JOB_ATTEMPT``: 1, 2, …
        asked_mib: The memory that was asked for, unless it is what it may use.
        cancelled: Set when the job must end now.
    """

    job_id: str
    name: str
    definition: str
    queue: str
    environment: Mapping[str, str]
    vcpus: int
    memory_mib: int
    timeout_s: int | None
    attempt: int = 1
    asked_mib: int | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How an attempt of a job ended.

    Attributes:
        exit_code: 0 for success; None where the container did not end by itself.
        reason: Why it failed: ``Container.Reason``.
        log_stream: Where its log lies: ``Container.LogStreamName``.
        status_reason: Why Batch says that it ended: ``StatusReason``.
    """

    exit_code: int | None
    reason: str | None = None
    log_stream: str | None = None
    status_reason: str = EXITED


@dataclass(frozen=True, slots=True)
class JobSubmission:
    """The parts of ``SubmitJob``'s arguments that a local job has; `declared` with what they override."""

    name: str
    definition: str
    declared: JobDefinition
    queue: str
    environment: Mapping[str, str]


class BatchTasks:
    """The handlers of ``arn:aws:states:::batch:submitJob.sync``, itself, and of ``…:submitJob``, `submit`.

    Jobs begin in the order they were submitted. Each gets an even share of the cores among the jobs that are waiting
    or running, at least one and at most what its definition declares; memory likewise. What runs at one time never
    exceeds the machine's cores and memory.
    """

    def __init__(
        self,
        job_definitions: Mapping[str, JobDefinition],
        run_job: Callable[[Job], JobEnd],
        cores: int,
        memory_mib: int,
    ) -> None:
        self._definitions = job_definitions
        self._run_job = run_job
        self._admission = Admission(cores, memory_mib)
        self._threads = ThreadPoolExecutor(max_workers=cores, thread_name_prefix="job")
        self._noted: set[str] = set()
        self._background = Background()

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Run one job to its end.

        Returns:
            The job's detail, as DescribeJobs gives it, in PascalCase.

        Raises:
            StatesError: ``States.TaskFailed`` with that detail as its cause when the job failed;
                ``Batch.ClientException`` when it could not be submitted.
        """
        return await self._job(self._submission(arguments), str(uuid4()), context)

    async def submit(self, arguments: Any, context: TaskContext) -> Any:
        """Submit one job and go on; it runs by itself, and how it ends changes nothing here.

        Returns:
            ``{JobArn, JobId, JobName}``, as SubmitJob answers.

        Raises:
            StatesError: ``Batch.ClientException`` when it could not be submitted.
        """
        submission, job_id = self._submission(arguments), str(uuid4())

        async def alone() -> None:
            with suppress(StatesError):
                await self._job(submission, job_id, context)

        self._background.start(alone())
        return {"JobArn": f"{_ARN}/{job_id}", "JobId": job_id, "JobName": submission.name}

    async def drain(self) -> None:
        """Wait for the jobs that nothing waits for."""
        await self._background.drain()

    async def _job(self, submission: JobSubmission, job_id: str, context: TaskContext) -> Any:
        """Its attempts, as its retry strategy says; one that must end now is none that is tried again."""
        created = time.time()
        attempts = [await self._attempt(submission, job_id, 1, context)]
        while _again(submission, len(attempts), attempts[-1]):
            attempts.append(await self._attempt(submission, job_id, len(attempts) + 1, context))
        found = detail(submission, job_id, created, attempts)
        if attempts[-1].failed:
            raise StatesError(TASK_FAILED, cause_of(found))
        return found

    async def _attempt(self, submission: JobSubmission, job_id: str, number: int, context: TaskContext) -> JobAttempt:
        queued, declared = time.time(), submission.declared
        share = await self._admission.acquire(declared.vcpus, declared.memory_mib)
        try:
            self._note(submission, share, context.observer)
            job = Job(
                job_id,
                submission.name,
                submission.definition,
                submission.queue,
                submission.environment,
                share.vcpus,
                share.memory_mib,
                declared.timeout_s,
                number,
                declared.memory_mib,
            )
            return await self._run(job, submission, queued, context)
        finally:
            self._admission.release(share)

    async def _run(self, job: Job, submission: JobSubmission, queued: float, context: TaskContext) -> JobAttempt:
        which = job.job_id, job.name, job.definition
        where = context.state, context.label, context.index
        started = time.time()
        context.observer(JobStarted(*which, job.vcpus, job.memory_mib, round(started - queued, 3), *where))
        try:
            end = await self._end(job)
        except BaseException:
            context.observer(JobEnded(*which, None, CANCELLED, round(time.time() - started, 3), *where))
            raise
        seconds = round(time.time() - started, 3)
        ended = JobAttempt(started, started + seconds, end.exit_code, end.status_reason, end.reason, end.log_stream)
        again = _again(submission, job.attempt, ended)
        context.observer(JobEnded(*which, end.exit_code, _why(end), seconds, *where, again))
        return ended

    async def _end(self, job: Job) -> JobEnd:
        """Wait for the job's end, whatever happens: a job that must end is told to, and waited for."""
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._run_job, job)
        try:
            done, _ = await asyncio.wait([running], timeout=job.timeout_s)
            if not done:
                job.cancelled.set()
            end = await asyncio.shield(running)
            return end if done else JobEnd(end.exit_code or _KILLED, None, end.log_stream, TIMED_OUT)
        except asyncio.CancelledError:
            job.cancelled.set()
            while not running.done():
                try:
                    await asyncio.wait([running])
                except asyncio.CancelledError:
                    continue
            running.exception()  # it was told to end: how it did so does not matter
            raise

    def _submission(self, arguments: Any) -> JobSubmission:
        name, queue, wanted = map(str, required(arguments, "JobName", "JobQueue", "JobDefinition"))
        definition = wanted.rsplit("job-definition/", 1)[-1].split(":")[0]
        declared = self._definitions.get(definition)
        if declared is None:
            raise StatesError("Batch.ClientException", f"JobDefinition not found: {wanted}")
        overrides = arguments.get("ContainerOverrides", {})
        asked = {entry["Type"]: entry["Value"] for entry in overrides.get("ResourceRequirements", ())}
        return JobSubmission(
            name,
            definition,
            JobDefinition(
                int(asked.get("VCPU", declared.vcpus)),
                int(asked.get("MEMORY", declared.memory_mib)),
                arguments.get("Timeout", {}).get("AttemptDurationSeconds", declared.timeout_s),
                RetryStrategy.from_json(arguments["RetryStrategy"]) if "RetryStrategy" in arguments else declared.retry,
            ),
            queue,
            {entry["Name"]: entry["Value"] for entry in overrides.get("Environment", ())},
        )

    def _note(self, submission: JobSubmission, share: Share, observer: Observer) -> None:
        declared = submission.declared
        scaled = share.vcpus < declared.vcpus or share.memory_mib < declared.memory_mib
        if scaled and submission.definition not in self._noted:
            self._noted.add(submission.definition)
            observer(
                Note(
                    f"{submission.definition}: declares {declared.vcpus} vCPUs and {declared.memory_mib} MiB, "
                    f"scaled down to {share.vcpus} and {share.memory_mib} MiB to fit this machine"
                )
            )


def _why(end: JobEnd) -> str | None:
    """Why an attempt failed, in as many words as there are; nothing of one that succeeded."""
    return None if end.exit_code == 0 else end.reason or (end.status_reason if end.status_reason != EXITED else None)


def _again(submission: JobSubmission, number: int, last: JobAttempt) -> bool:
    """Whether an attempt is followed by another."""
    retry = submission.declared.retry
    left = last.failed and number < retry.attempts
    return left and retry.retries(last.status_reason, last.reason, last.exit_code)
