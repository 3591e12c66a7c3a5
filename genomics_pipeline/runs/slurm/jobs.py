"""Jobs that run on the nodes of a Slurm cluster."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.states.concurrency import finish_before_cancellation
from genomics_pipeline.engine.tasks.attempted_jobs import AttemptedJobs, OnFailure
from genomics_pipeline.engine.tasks.job import Job, JobDefinition, JobEnd, JobSubmission
from genomics_pipeline.engine.tasks.job_detail import JobAttempt
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.model.stage_try import parse_tries
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, TRIED_VARIABLE
from genomics_pipeline.runs.slurm.attempts import Attempts
from genomics_pipeline.runs.slurm.ends import LOST, is_final, no_more_time_end
from genomics_pipeline.runs.slurm.followed import Followed
from genomics_pipeline.runs.slurm.node_task import NodeTask
from genomics_pipeline.runs.slurm.submission import JobPlace, JobShape
from genomics_pipeline.worker.machine import Capacity
from genomics_pipeline.worker.step_folder import StepFolder


class SlurmJobs(AttemptedJobs):
    """A `JobRunner` for a Slurm cluster.

    A job is known by the digest of what it does and with which resources, so that a head that was killed finds its jobs
    again. Its retries are those of AWS Batch; Slurm requeues nothing.

    Args:
        job_definitions: Job definitions by name.
        steps: The folders of the steps by the names of their job definitions.
        run: The folder of the run, which all nodes have at the same path.
        attempts: The attempts of the jobs.
        options: The options of the jobs.
        node: The cores and the memory of the largest node.
        cache: The user's cache folder.
        published: Returns the end of an attempt whose work is done, so that no job is needed; None for others.
        on_failure: See `AttemptedJobs`.
        images: The files of the images that Apptainer runs tasks in, by step; none for no containers.
    """

    def __init__(
        self,
        job_definitions: Mapping[str, JobDefinition],
        steps: Mapping[str, StepFolder],
        run: Path,
        attempts: Attempts,
        options: SlurmOptions,
        node: Capacity,
        cache: Path,
        published: Callable[[Job], JobEnd | None],
        on_failure: OnFailure | None = None,
        images: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(job_definitions, on_failure)
        self._steps, self._run, self._attempts = steps, run, attempts
        self._options, self._node, self._cache, self._images = options, node, cache, images
        self._published = published
        self._times: Counter[str] = Counter()  # of the same work in this execution
        self._lost: dict[str, list[JobPlace]] = {}  # attempts by their work, which may finish all the same

    async def _end_of_done(self, job: Job) -> JobEnd | None:
        """Return the end of an attempt whose work is done, read in a thread: file servers may be slow."""
        return await asyncio.to_thread(self._published, job)

    async def _attempt(self, submission: JobSubmission, job_id: str, number: int, context: TaskContext) -> JobAttempt:
        """Run an attempt on a node, unless its work is done: a job in Slurm takes seconds and a place in the queue."""
        queued = time.time()
        timeouts = _timeouts(submission)
        shape = self._shape(submission, timeouts)
        if timeouts:
            partitions = self._partitions(submission)
            place = (await self._attempts.site()).place_after(partitions, shape.minutes >> timeouts, timeouts)
            if place.partition is None:
                return await self._end_without_job(submission, job_id, number, context, partitions, place.minutes)
            shape = replace(shape, partition=place.partition)
        key = self._key(submission, shape, context.execution)
        job = submission.attempt(job_id, number, shape.vcpus, shape.memory_mib, submission.declared.timeout_s)
        if not self._attempts.is_submitted(key) and (end := await self._end_of_done(job)):
            return await self._run_with_events(job, submission, queued, context, _ended(end))
        work = f"{context.execution} {job.environment[PAYLOAD_VARIABLE]}"
        followed = self._attempts.start(self._task(key, job, shape), shape, self._lost.get(work, ()))
        try:
            await followed.started
            attempt = await self._run_with_events(job, submission, queued, context, self._end(followed, job))
        except asyncio.CancelledError:
            await finish_before_cancellation(self._attempts.cancel(followed))
            raise
        if followed.place and attempt.status_reason == LOST:
            self._lost.setdefault(work, []).append(followed.place)
        return attempt

    async def _end_without_job(
        self,
        submission: JobSubmission,
        job_id: str,
        number: int,
        context: TaskContext,
        partitions: Sequence[str],
        minutes: int,
    ) -> JobAttempt:
        """Return the end of an attempt that would come to its time limit as the one before it did."""
        shape = self._shape(submission, 0)
        job = submission.attempt(job_id, number, shape.vcpus, shape.memory_mib, submission.declared.timeout_s)
        end = _ended(no_more_time_end(partitions, minutes))
        return await self._run_with_events(job, submission, time.time(), context, end)

    async def drain(self) -> None:
        """Wait for the jobs in the background, and for the end of those that have nothing left to do."""
        await super().drain()
        await self._attempts.drain()

    async def _end(self, followed: Followed, job: Job) -> JobEnd:
        end = await followed.ended
        if is_final(end):
            job.cancelled.set()
        return end

    def _partitions(self, submission: JobSubmission) -> list[str]:
        """Return the partitions that a job may have, the first one where it has time enough there."""
        first, other = self._options.partition, self._options.on_demand_partition
        if not other:
            return [first]
        is_on_demand = submission.queue.rpartition("/")[2] == ResourceNames().on_demand_queue
        return [other] if is_on_demand else [first, other]

    def _shape(self, submission: JobSubmission, timeouts: int) -> JobShape:
        """Return the resources of a job: what it asks for, as far as a node has it.

        Args:
            submission: The submission.
            timeouts: The number of jobs before it that came to their time limits.
        """
        declared, partition = submission.declared, self._partitions(submission)[0]
        vcpus = min(declared.vcpus, self._node.cores)
        memory_mib = max(min(declared.memory_mib, self._node.memory_mib), submission.least_mib(vcpus))
        seconds = (declared.timeout_s or 0) * -(-declared.vcpus // vcpus)
        minutes = self._options.minutes << timeouts or -(-seconds // 60)
        return JobShape(partition, vcpus, memory_mib, minutes, submission.definition)

    def _key(self, submission: JobSubmission, shape: JobShape, execution: str) -> str:
        """Return the key of the next attempt at the same work that no head of the run has cancelled."""
        environment = submission.environment[PAYLOAD_VARIABLE]
        work = [str(self._run), execution, submission.definition, environment, *_values(shape)]
        digest = hashlib.sha256(compact(work).encode()).hexdigest()
        while True:
            self._times[digest] += 1
            key = hashlib.sha256(f"{digest} {self._times[digest]}".encode()).hexdigest()[:40]
            if not self._attempts.is_cancelled(key):
                return key

    def _task(self, key: str, job: Job, shape: JobShape) -> NodeTask:
        step = self._steps[job.definition]
        return NodeTask(
            key=key,
            run=str(self._run),
            step=str(step.path),
            payload=job.environment[PAYLOAD_VARIABLE],
            job_id=job.job_id,
            attempt=job.attempt,
            name=job.name,
            definition=job.definition,
            vcpus=job.vcpus,
            memory_mib=job.memory_mib,
            minutes=shape.minutes,
            scratch=self._options.scratch,
            cache=str(self._cache),
            image=self._images.get(step.spec.name, ""),
        )


def _timeouts(submission: JobSubmission) -> int:
    """Return how often earlier jobs of the same work came to their time limits."""
    tries = parse_tries(submission.environment.get(TRIED_VARIABLE, "[]"))
    return sum(one.failure_class is FailureClass.TIMEOUT for one in tries)


async def _ended(end: JobEnd) -> JobEnd:
    return end


def _values(shape: JobShape) -> tuple[str | int, ...]:
    return shape.partition, shape.vcpus, shape.memory_mib, shape.minutes
