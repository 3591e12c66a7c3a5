"""AWS Batch on this machine: jobs share its cores and memory and are retried by their retry strategies."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from genomics_pipeline.engine.events import Note, Observer
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.admission import Admission
from genomics_pipeline.engine.tasks.attempted_jobs import AttemptedJobs, OnFailure
from genomics_pipeline.engine.tasks.job import (
    Job,
    JobDefinition,
    JobEnd,
    JobSubmission,
    RunAttempt,
)
from genomics_pipeline.engine.tasks.job_detail import JobAttempt
from genomics_pipeline.engine.tasks.shares import Share
from genomics_pipeline.model.batch_retry import TIMED_OUT

_KILLED = 137


class MachineJobs(AttemptedJobs):
    """A `JobRunner` for this machine.

    Jobs start in the order of their submission, each on a share of the machine; see `admission.Admission`.

    Args:
        job_definitions: Job definitions by name.
        run_attempt: Runs an attempt of a job.
        cores: Cores of the machine.
        memory_mib: Memory of the machine.
        jobs: The greatest number of jobs at the same time; None for as many as fit.
        on_failure: See `AttemptedJobs`.
    """

    def __init__(
        self,
        job_definitions: Mapping[str, JobDefinition],
        run_attempt: RunAttempt,
        cores: int,
        memory_mib: int,
        jobs: int | None = None,
        on_failure: OnFailure | None = None,
    ) -> None:
        super().__init__(job_definitions, on_failure)
        self._run_attempt = run_attempt
        self._admission = Admission(cores, memory_mib, jobs)
        self._threads = ThreadPoolExecutor(max_workers=cores, thread_name_prefix="job")
        self._scaled: set[str] = set()

    async def _attempt(self, submission: JobSubmission, job_id: str, number: int, context: TaskContext) -> JobAttempt:
        """Wait for a share of the machine and run an attempt on it."""
        queued, declared = time.time(), submission.declared
        share = await self._admission.acquire(declared.vcpus, declared.memory_mib, submission.least_mib)
        try:
            self._note_scaling(submission, share, context.observer)
            timeout_s = _scaled_timeout(declared, share)
            job = submission.attempt(job_id, number, share.vcpus, share.memory_mib, timeout_s)
            running = self._run_in_thread(job, declared)
            return await self._run_with_events(job, submission, queued, context, running)
        finally:
            self._admission.release(share)

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
