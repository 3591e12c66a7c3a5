"""Jobs that are submitted to AWS Batch through its API, as Step Functions submits them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from genomics_pipeline.aws.batch import CALLS_PER_S, ENDED, BatchError, BatchJobs
from genomics_pipeline.aws.pascal_case import UnknownMember
from genomics_pipeline.engine.clock import Clock
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.states.concurrency import finish_before_cancellation
from genomics_pipeline.engine.tasks.aws_response import optimised_cause, require_arguments
from genomics_pipeline.engine.tasks.job_poller import JobPoller, PollRate
from genomics_pipeline.engine.tasks.job_runner import NO_WORK, JobDetail, JobReport
from genomics_pipeline.language.errors import RUNTIME, StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact

# The error codes in the service model of Batch. A state machine sees every other code, also TooManyRequestsException,
# under the name of the general exception of the Java SDK, as recorded: see `asl.task_state.SUBMIT_RETRY`.
_MODELLED = frozenset({"ClientException", "ServerException", "SdkClientException"})
_GENERAL = "AWSBatchException"

# Step Functions adds it to every job. Source: LocalStack's state_task_service_batch.py, tested against AWS.
_MANAGED = {"Name": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}


class BatchApi:
    """A `JobRunner` that runs jobs in AWS Batch.

    Args:
        jobs: The jobs of an account and Region.
        clock: The clock for the time between two polls.
    """

    def __init__(self, jobs: BatchJobs, clock: Clock) -> None:
        self._jobs = jobs
        self._poller = JobPoller(self._ended_jobs, PollRate(quotas.DESCRIBE_JOBS.value, CALLS_PER_S), clock)

    async def run(self, arguments: Mapping[str, Any], context: TaskContext) -> JobDetail:
        """Submit a job and wait for its end: see `JobRunner.run`."""
        submitting = asyncio.ensure_future(self._submit(arguments))
        try:
            submitted = await asyncio.shield(submitting)
            context.submitted(submitted)
            return await self._poller.end(submitted["JobId"])
        except asyncio.CancelledError:
            await finish_before_cancellation(self._terminate(submitting, context))
            raise

    async def submit(self, arguments: Mapping[str, Any], context: TaskContext) -> dict[str, str]:
        """Submit a job: see `JobRunner.submit`."""
        return await self._submit(arguments)

    async def drain(self) -> None:
        """Return at once: a submitted job continues in AWS Batch without this process."""

    def report(self) -> JobReport:
        """Return an empty report: the Batch API reports exit codes only."""
        return NO_WORK

    async def _submit(self, arguments: Mapping[str, Any]) -> dict[str, str]:
        require_arguments(arguments, "JobName", "JobQueue", "JobDefinition")
        try:
            return await asyncio.to_thread(self._jobs.submit, _with_management_marker(arguments))
        except UnknownMember as unknown:
            text = f"The field '{unknown}' is not supported by Step Functions"
            raise StatesError(
                RUNTIME, f"The Parameters '{compact(arguments)}' could not be used to start the Task: [{text}]"
            ) from None
        except BatchError as error:
            raise states_error(error) from error

    async def _terminate(self, submitting: asyncio.Future[dict[str, str]], context: TaskContext) -> None:
        with suppress(BatchError, StatesError):  # the job was not submitted, or has ended
            job_id = (await submitting)["JobId"]
            await asyncio.to_thread(self._jobs.terminate, job_id, f"Ended with its Task in {context.execution}")

    def _ended_jobs(self, ids: Sequence[str]) -> dict[str, JobDetail]:
        """Return the details of the jobs that have ended by job ID; none after a transient error: later polls retry."""
        try:
            jobs = list(self._jobs.describe(ids))
        except BatchError as error:
            if error.passes:
                return {}
            raise states_error(error) from error
        return {job["jobId"]: self._jobs.detail(job) for job in jobs if job["status"] in ENDED}


def states_error(error: BatchError) -> StatesError:
    """Return an error of Batch with the name by which a state machine catches it."""
    name = error.code if error.code in _MODELLED else _GENERAL
    if not error.status:
        return StatesError(f"Batch.{name}", error.message)
    return StatesError(f"Batch.{name}", optimised_cause(error.message, "AWSBatch", error.status, error.code))


def _with_management_marker(arguments: Mapping[str, Any]) -> dict[str, Any]:
    overrides = dict(arguments.get("ContainerOverrides") or {})
    overrides["Environment"] = [*overrides.get("Environment", ()), _MANAGED]
    return {**arguments, "ContainerOverrides": overrides}
