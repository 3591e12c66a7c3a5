"""Jobs that run on the nodes of a Slurm cluster."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.states.concurrency import finish_before_cancellation
from genomics_pipeline.engine.tasks.attempted_jobs import AttemptedJobs
from genomics_pipeline.engine.tasks.job import Job, JobDefinition, JobEnd, JobSubmission
from genomics_pipeline.engine.tasks.job_detail import JobAttempt
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.model.task import PAYLOAD_VARIABLE
from genomics_pipeline.runs.slurm.attempts import Attempts
from genomics_pipeline.runs.slurm.ends import is_final
from genomics_pipeline.runs.slurm.followed import Followed
from genomics_pipeline.runs.slurm.node_task import NodeTask
from genomics_pipeline.runs.slurm.submission import JobShape
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
    ) -> None:
        super().__init__(job_definitions)
        self._steps, self._run, self._attempts = steps, run, attempts
        self._options, self._node, self._cache = options, node, cache
        self._times: Counter[str] = Counter()  # of the same work in this execution

    async def _attempt(self, submission: JobSubmission, job_id: str, number: int, context: TaskContext) -> JobAttempt:
        """Run an attempt on a node."""
        queued = time.time()
        shape = self._shape(submission)
        key = self._key(submission, shape, context.execution)
        job = submission.attempt(job_id, number, shape.vcpus, shape.memory_mib, submission.declared.timeout_s)
        followed = self._attempts.start(self._task(key, job), shape)
        try:
            await followed.started
            return await self._run_with_events(job, submission, queued, context, self._end(followed, job))
        except asyncio.CancelledError:
            await finish_before_cancellation(self._attempts.cancel(followed))
            raise

    async def _end(self, followed: Followed, job: Job) -> JobEnd:
        end = await followed.ended
        if is_final(end):
            job.cancelled.set()
        return end

    def _shape(self, submission: JobSubmission) -> JobShape:
        """Return the resources of a job: what it asks for, as far as a node has it."""
        declared, options = submission.declared, self._options
        is_on_demand = submission.queue.rpartition("/")[2] == ResourceNames().on_demand_queue
        partition = (is_on_demand and options.on_demand_partition) or options.partition
        vcpus = min(declared.vcpus, self._node.cores)
        memory_mib = max(min(declared.memory_mib, self._node.memory_mib), submission.least_mib(vcpus))
        seconds = (declared.timeout_s or 0) * -(-declared.vcpus // vcpus)
        return JobShape(partition, vcpus, memory_mib, -(-seconds // 60), submission.definition)

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

    def _task(self, key: str, job: Job) -> NodeTask:
        return NodeTask(
            key=key,
            run=str(self._run),
            step=str(self._steps[job.definition].path),
            payload=job.environment[PAYLOAD_VARIABLE],
            job_id=job.job_id,
            name=job.name,
            definition=job.definition,
            vcpus=job.vcpus,
            memory_mib=job.memory_mib,
            scratch=self._options.scratch,
            cache=str(self._cache),
        )


def _values(shape: JobShape) -> tuple[str | int, ...]:
    return shape.partition, shape.vcpus, shape.memory_mib, shape.minutes
