"""A `JobRunner` of modelled jobs: they take virtual time, and fail as their scripts say, without running anything."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.aws_response import require_arguments
from genomics_pipeline.engine.tasks.batch_request import check_request
from genomics_pipeline.engine.tasks.job import JobDefinition, JobSubmission, environment_of
from genomics_pipeline.engine.tasks.job_detail import JobAttempt, job_detail
from genomics_pipeline.engine.tasks.job_runner import NO_WORK, JobDetail, JobReport
from genomics_pipeline.model.batch_retry import EXITED, STACK_RETRY_STRATEGY, TIMED_OUT
from genomics_pipeline.planning.scripts import MOST_LOST, SUCCEEDS, ChildScript, TaskScript

KILLED_REASON = "OutOfMemoryError: Container killed due to memory usage"
LOST_REASON = "Host EC2 (instance i-00000000000000000) terminated."
_KILLED, _FAILED = 137, 1
_ARN = "arn:aws:batch:us-east-1:000000000000:job"

Place = tuple[str | None, int | None]  # (label, index) of the child; None for the execution itself


@dataclass(slots=True)
class StageCounts:
    """The jobs of a stage.

    Attributes:
        jobs: The submitted jobs.
        attempts: Their attempts: Batch starts another one after it lost the host.
    """

    jobs: int = 0
    attempts: int = 0


@dataclass(slots=True)
class _Fate:
    """The part of a script that has not happened yet."""

    out_of_memory: int
    hosts_lost: int
    fails: bool


class ModelledJobs:
    """A `JobRunner` that only waits.

    Attributes:
        counts: The jobs of each stage, by child.

    Args:
        script: Returns the script of a child by its label and index.
        seconds: Returns the duration of an attempt of a stage.
        on_demand: The queue whose hosts are never lost.
    """

    def __init__(self, script: Callable[[Place], ChildScript], seconds: Callable[[str], float], on_demand: str) -> None:
        self.counts: dict[Place, dict[str, StageCounts]] = defaultdict(lambda: defaultdict(StageCounts))
        self._script = script
        self._seconds = seconds
        self._on_demand = on_demand
        self._fates: dict[tuple[Place, str], _Fate] = {}
        self._numbers: Counter[str] = Counter()
        self._submissions: dict[str, asyncio.Future[JobDetail]] = {}

    async def run(self, arguments: Mapping[str, Any], context: TaskContext) -> JobDetail:
        """Wait as long as a job and its attempts would take: see `JobRunner.run`."""
        submission = _submission(arguments)
        submitted = self._submitted(submission, context)
        context.submitted(submitted)
        return await self._run_attempts(submission, submitted["JobId"], context)

    async def submit(self, arguments: Mapping[str, Any], context: TaskContext) -> dict[str, str]:
        """Start a job that `describe` knows: see `JobRunner.submit`."""
        submission = _submission(arguments)
        submitted = self._submitted(submission, context)
        running = asyncio.ensure_future(self._run_attempts(submission, submitted["JobId"], context))
        self._submissions[submitted["JobId"]] = running
        return submitted

    async def describe(self, arguments: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
        """Return the details of submitted jobs, as DescribeJobs does: of those that run, the status only."""
        jobs = []
        for job_id in arguments["Jobs"]:
            running = self._submissions[job_id]
            jobs.append(running.result() if running.done() else {"JobId": job_id, "Status": "RUNNING"})
        return {"Jobs": jobs}

    def _submitted(self, submission: JobSubmission, context: TaskContext) -> dict[str, str]:
        """Count a job and return the answer of SubmitJob."""
        stage = context.state
        self.counts[context.label, context.index][stage].jobs += 1
        self._numbers[stage] += 1
        job_id = f"{stage}-{self._numbers[stage]}"
        return {"JobArn": f"{_ARN}/{job_id}", "JobId": job_id, "JobName": submission.name}

    async def _run_attempts(self, submission: JobSubmission, job_id: str, context: TaskContext) -> JobDetail:
        """Wait for the attempts of a job and return its detail."""
        place, stage = (context.label, context.index), context.state
        counts, created = self.counts[place][stage], context.clock.now()
        attempts: list[JobAttempt] = []
        while not attempts or _is_retried(attempts):
            counts.attempts += 1
            attempts.append(await self._attempt(submission, place, stage, context))
        return job_detail(submission, job_id, created, attempts)

    async def drain(self) -> None:
        """Wait for the submitted jobs."""
        await asyncio.gather(*self._submissions.values())

    def report(self) -> JobReport:
        """Return no work: nothing ran."""
        return NO_WORK

    async def _attempt(self, submission: JobSubmission, place: Place, stage: str, context: TaskContext) -> JobAttempt:
        """Wait as long as an attempt lasts and return its end, which the script decides."""
        fate = self._fates.setdefault((place, stage), _fate(self._script(place).get(stage, SUCCEEDS)))
        seconds, limit = self._seconds(stage), submission.declared.timeout_s
        started = context.clock.now()
        if limit is not None and seconds > limit:
            await asyncio.sleep(limit)
            return JobAttempt(started, started + limit, _KILLED, TIMED_OUT, None, None, is_stopped=True)
        await asyncio.sleep(seconds)
        exit_code, status_reason, reason = self._end(fate, submission.queue)
        return JobAttempt(started, started + seconds, exit_code, status_reason, reason, None)

    def _end(self, fate: _Fate, queue: str) -> tuple[int | None, str, str | None]:
        """Return exit code, status reason and reason of an attempt, and take it from the fate."""
        if fate.out_of_memory:
            fate.out_of_memory -= 1
            return _KILLED, EXITED, KILLED_REASON
        if fate.hosts_lost and queue.rpartition("/")[2] != self._on_demand:
            fate.hosts_lost -= 1
            return None, LOST_REASON, None
        return (_FAILED, EXITED, None) if fate.fails else (0, EXITED, None)


def _fate(script: TaskScript) -> _Fate:
    return _Fate(script.out_of_memory, min(script.hosts_lost, MOST_LOST), script.fails)


def _is_retried(attempts: list[JobAttempt]) -> bool:
    last = attempts[-1]
    may = last.failed and not last.is_stopped and len(attempts) < STACK_RETRY_STRATEGY.attempts
    return may and STACK_RETRY_STRATEGY.retries(last.status_reason, last.reason, last.exit_code)


def _submission(arguments: Mapping[str, Any]) -> JobSubmission:
    """Return a submission after the checks of SubmitJob.

    Raises:
        StatesError: for arguments that AWS would refuse.
    """
    name, queue, definition = map(str, require_arguments(arguments, "JobName", "JobQueue", "JobDefinition"))
    check_request(name, arguments)
    entries = arguments["ContainerOverrides"]["ResourceRequirements"]
    asked = {entry["Type"]: int(entry["Value"]) for entry in entries}
    declared = JobDefinition(
        asked["VCPU"], asked["MEMORY"], arguments["Timeout"]["AttemptDurationSeconds"], STACK_RETRY_STRATEGY
    )
    return JobSubmission(name, definition, declared, lambda _: declared.memory_mib, queue, environment_of(arguments))
