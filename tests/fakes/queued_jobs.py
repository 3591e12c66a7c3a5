"""Jobs of the fake's state machines, which pass through the queues of the fake Batch."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.job import Job, JobDefinition, JobSubmission, RunAttempt
from genomics_pipeline.engine.tasks.job_detail import unstarted_job_detail
from genomics_pipeline.engine.tasks.job_runner import JobDetail
from genomics_pipeline.engine.tasks.machine_jobs import MachineJobs
from genomics_pipeline.language.errors import StatesError

TASK_ENDED = "Ended with its Task"
_REVISION = re.compile(r"arn:aws:batch:(?P<region>[\w-]+):(?P<account>\d+):job-definition/(?P<name>.+):\d+")


class QueuedJobs(MachineJobs):
    """A `JobRunner` on a machine that is large enough for all jobs that its queues let through.

    Args:
        job_definitions: Job definitions by name.
        run_attempt: Runs an attempt of a job.
        enter: Puts a job into its queue; see `Batch.enter`.
        leave: Ends a job in its queue; see `JobQueues.leave`.
    """

    def __init__(
        self,
        job_definitions: Mapping[str, JobDefinition],
        run_attempt: RunAttempt,
        enter: Callable[[Job], Future[str]],
        leave: Callable[[str, str], bool],
    ) -> None:
        super().__init__(job_definitions, run_attempt, cores=64, memory_mib=1 << 20)
        self._enter, self._leave = enter, leave

    def _submission(self, arguments: Mapping[str, Any]) -> JobSubmission:
        submission = super()._submission(arguments)
        if problem := definition_problem(arguments["JobDefinition"]):
            raise StatesError("Batch.ClientException", problem)
        return submission

    async def _run_job(self, submission: JobSubmission, job_id: str, context: TaskContext) -> JobDetail:
        if submission.refusal:
            return await super()._run_job(submission, job_id, context)
        created, declared = time.time(), submission.declared
        job = Job(
            job_id,
            submission.name,
            submission.definition,
            submission.queue,
            submission.environment,
            declared.vcpus,
            declared.memory_mib,
            declared.timeout_s,
        )
        started = self._enter(job)
        try:
            reason = await asyncio.shield(asyncio.wrap_future(started))
        except asyncio.CancelledError:
            self._leave(job_id, TASK_ENDED)
            raise
        if reason:
            return unstarted_job_detail(submission, job_id, created, reason)
        return await super()._run_job(submission, job_id, context)


def definition_problem(reference: str) -> str:
    """Return Batch's message about a revision of a job definition that is not ACTIVE; an empty text if it is.

    The message is that of aws-samples/aws-genomics-workflows issue 84. Definitions that no stack of moto has are those
    of a test, and not checked.

    Args:
        reference: The ``JobDefinition`` of a job.
    """
    from moto.batch.models import batch_backends

    if not (match := _REVISION.fullmatch(reference)):
        return ""
    batch = batch_backends[match["account"]][match["region"]]
    revisions = {one.arn: one.status for one in batch.get_job_definitions(match["name"])}
    if not revisions or revisions.get(reference) == "ACTIVE":
        return ""
    return f"JobDefinition name {match['name']} does not exist or is not in ACTIVE status"
