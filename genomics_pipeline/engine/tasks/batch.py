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

from genomics_pipeline.engine.errors import TASK_FAILED, StatesError
from genomics_pipeline.engine.events import JobEnded, JobStarted, Note, Observer
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.json_text import compact
from genomics_pipeline.engine.tasks.admission import Admission, Share
from genomics_pipeline.engine.tasks.aws_response import required
from genomics_pipeline.engine.tasks.background import Background

SUBMIT_JOB = "arn:aws:states:::batch:submitJob"
_ARN = "arn:aws:batch:us-east-1:000000000000:job"

# AWS Batch's own words, which failures are told apart by.
EXITED = "Essential container in task exited"
TIMED_OUT = "Job attempt duration exceeded timeout"
_KILLED = 137


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """What a job of this kind asks for.

    Attributes:
        vcpus: Cores.
        memory_mib: Memory.
        timeout_s: Longest run of one job, unless the submission says otherwise.
    """

    vcpus: int
    memory_mib: int
    timeout_s: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One job, as the function that runs it is given it.

    Attributes:
        job_id: A UUID.
        name: Its ``JobName``.
        definition: Its job definition's name.
        queue: Its ``JobQueue``.
        environment: ``ContainerOverrides.Environment``.
        vcpus: The cores it may use: what is declared, scaled down to this machine.
        memory_mib: The memory it may use, likewise.
        timeout_s: When `cancelled` is set at the latest, in seconds after its start.
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
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job ended.

    Attributes:
        exit_code: 0 for success.
        reason: Why it failed: ``Container.Reason``.
        log_stream: Where its log lies: ``Container.LogStreamName``.
    """

    exit_code: int
    reason: str | None = None
    log_stream: str | None = None


@dataclass(frozen=True, slots=True)
class _Submission:
    """The parts of ``SubmitJob``'s arguments that a local job has."""

    name: str
    definition: str
    declared: JobDefinition
    queue: str
    environment: Mapping[str, str]
    timeout_s: int | None


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

    async def _job(self, submission: _Submission, job_id: str, context: TaskContext) -> Any:
        created = time.time()
        share = await self._admission.acquire(submission.declared.vcpus, submission.declared.memory_mib)
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
                submission.timeout_s,
            )
            return await self._run(job, submission, created, context)
        finally:
            self._admission.release(share)

    async def _run(self, job: Job, submission: _Submission, created: float, context: TaskContext) -> Any:
        where = context.state, context.label, context.index
        started = time.time()
        context.observer(
            JobStarted(
                job.job_id, job.name, job.definition, job.vcpus, job.memory_mib, round(started - created, 3), *where
            )
        )
        timed_out, end = False, None
        try:
            end, timed_out = await self._end(job)
        finally:
            seconds = round(time.time() - started, 3)
            code, reason = (end.exit_code, TIMED_OUT if timed_out else end.reason) if end else (None, "cancelled")
            context.observer(JobEnded(job.job_id, job.name, job.definition, code, reason, seconds, *where))
        found = _detail(job, submission, end, timed_out, (created, started, started + seconds))
        if found["Status"] == "FAILED":
            raise StatesError(TASK_FAILED, cause_of(found))
        return found

    async def _end(self, job: Job) -> tuple[JobEnd, bool]:
        """Wait for the job's end, whatever happens: a job that must end is told to, and waited for."""
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._run_job, job)
        try:
            done, _ = await asyncio.wait([running], timeout=job.timeout_s)
            timed_out = not done
            if timed_out:
                job.cancelled.set()
            return await asyncio.shield(running), timed_out
        except asyncio.CancelledError:
            job.cancelled.set()
            while not running.done():
                try:
                    await asyncio.wait([running])
                except asyncio.CancelledError:
                    continue
            running.exception()  # it was told to end: how it did so does not matter
            raise

    def _submission(self, arguments: Any) -> _Submission:
        name, queue, wanted = map(str, required(arguments, "JobName", "JobQueue", "JobDefinition"))
        definition = wanted.rsplit("job-definition/", 1)[-1].split(":")[0]
        declared = self._definitions.get(definition)
        if declared is None:
            raise StatesError("Batch.ClientException", f"JobDefinition not found: {wanted}")
        overrides = arguments.get("ContainerOverrides", {})
        asked = {entry["Type"]: entry["Value"] for entry in overrides.get("ResourceRequirements", ())}
        timeout = arguments.get("Timeout", {}).get("AttemptDurationSeconds", declared.timeout_s)
        return _Submission(
            name,
            definition,
            JobDefinition(int(asked.get("VCPU", declared.vcpus)), int(asked.get("MEMORY", declared.memory_mib))),
            queue,
            {entry["Name"]: entry["Value"] for entry in overrides.get("Environment", ())},
            timeout,
        )

    def _note(self, submission: _Submission, share: Share, observer: Observer) -> None:
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


def _detail(
    job: Job, submission: _Submission, end: JobEnd, timed_out: bool, times: tuple[float, float, float]
) -> dict[str, Any]:
    """The job as DescribeJobs gives it, in PascalCase; times in milliseconds."""
    created, started, stopped = (int(moment * 1000) for moment in times)
    failed = timed_out or end.exit_code != 0
    code = end.exit_code if end.exit_code or not timed_out else _KILLED
    reason = {"Reason": end.reason} if end.reason and not timed_out else {}
    log = {"LogStreamName": end.log_stream} if end.log_stream else {}
    status_reason = TIMED_OUT if timed_out else EXITED
    return {
        "JobName": job.name,
        "JobId": job.job_id,
        "JobQueue": submission.queue,
        "JobDefinition": job.definition,
        "Status": "FAILED" if failed else "SUCCEEDED",
        "StatusReason": status_reason,
        "CreatedAt": created,
        "StartedAt": started,
        "StoppedAt": stopped,
        "Attempts": [
            {
                "Container": {"ExitCode": code, **reason, **log},
                "StartedAt": started,
                "StoppedAt": stopped,
                "StatusReason": status_reason,
            }
        ],
        "Container": {
            "ExitCode": code,
            **reason,
            **log,
            "Vcpus": job.vcpus,
            "Memory": job.memory_mib,
            "Environment": [{"Name": name, "Value": value} for name, value in job.environment.items()],
        },
    } | ({"Timeout": {"AttemptDurationSeconds": job.timeout_s}} if job.timeout_s else {})


def cause_of(detail: dict[str, Any]) -> str:
    """The detail as a cause: what was submitted is left out where it would push the reason past AWS's limit."""
    text = compact(detail)
    if len(text) > 32_768:
        detail["Container"].pop("Environment")
        text = compact(detail)
    return text
