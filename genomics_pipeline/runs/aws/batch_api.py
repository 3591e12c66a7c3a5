"""``batch:submitJob(.sync)`` through the Batch API: what Step Functions does on AWS, done from here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from genomics_pipeline.aws.batch import CALLS_PER_S, ENDED, MOST_JOBS, BatchError, BatchJobs
from genomics_pipeline.aws.pascal_case import UnknownMember
from genomics_pipeline.engine.clock import Clock
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.states.crew import whole
from genomics_pipeline.engine.tasks.aws_response import optimised_cause, required
from genomics_pipeline.engine.tasks.job_detail import cause_of
from genomics_pipeline.language.errors import RUNTIME, TASK_FAILED, StatesError
from genomics_pipeline.language.json_text import compact

FIRST_POLL_S, MOST_POLL_S, GROWTH = 1.0, 30.0, 1.5

# The codes that Batch's model knows. All others, throttling's TooManyRequestsException too, reach a state machine under
# the name of the Java SDK's general exception: real failures, see `asl.task_state.SUBMIT_RETRY`.
_MODELLED = frozenset({"ClientException", "ServerException", "SdkClientException"})
_GENERAL = "AWSBatchException"

# Step Functions adds it to every job: LocalStack's state_task_service_batch.py, which its tests compared with AWS.
_MANAGED = {"Name": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}


class BatchApi:
    """The handlers of ``arn:aws:states:::batch:submitJob.sync``, itself, and of ``…:submitJob``, `submit`.

    Args:
        jobs: Where jobs are submitted.
        clock: The time between two polls.
    """

    def __init__(self, jobs: BatchJobs, clock: Clock) -> None:
        self._jobs = jobs
        self._poller = _Poller(jobs, clock)

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Submit a job and wait for its end; where the Task is aborted or timed out, the job is terminated.

        Returns:
            The job's detail, as DescribeJobs gives it, in PascalCase.

        Raises:
            StatesError: ``States.TaskFailed`` with that detail as its cause when the job failed; ``Batch.…`` when it
                could not be submitted or followed.
        """
        submitting = asyncio.ensure_future(self._submit(arguments))
        try:
            submitted = await asyncio.shield(submitting)
            context.submitted(submitted)
            detail = await self._poller.end(submitted["JobId"])
        except asyncio.CancelledError:
            await whole(self._terminate(submitting, context))
            raise
        if detail["Status"] == "FAILED":
            raise StatesError(TASK_FAILED, cause_of(detail))
        return detail

    async def submit(self, arguments: Any, context: TaskContext) -> Any:
        """Submit a job and go on.

        Returns:
            ``{JobArn, JobId, JobName}``, as SubmitJob answers.

        Raises:
            StatesError: ``Batch.…`` when it could not be submitted.
        """
        return await self._submit(arguments)

    async def drain(self) -> None:
        """What nobody waits for goes on in AWS Batch, as it would on AWS."""

    async def _submit(self, arguments: Any) -> dict[str, Any]:
        required(arguments, "JobName", "JobQueue", "JobDefinition")
        try:
            return await asyncio.to_thread(self._jobs.submit, _managed(arguments))
        except UnknownMember as unknown:
            text = f"The field '{unknown}' is not supported by Step Functions"
            raise StatesError(
                RUNTIME, f"The Parameters '{compact(arguments)}' could not be used to start the Task: [{text}]"
            ) from None
        except BatchError as error:
            raise told(error) from error

    async def _terminate(self, submitting: asyncio.Future[dict[str, Any]], context: TaskContext) -> None:
        with suppress(BatchError, StatesError):  # what was not submitted, or cannot be ended, is not ours to end
            job_id = (await submitting)["JobId"]
            await asyncio.to_thread(self._jobs.terminate, job_id, f"Ended with its Task in {context.execution}")


class _Poller:
    """Asks for all jobs that are waited for together: ever more seldom while nothing ends."""

    def __init__(self, jobs: BatchJobs, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._polling: asyncio.Task[None] | None = None

    async def end(self, job_id: str) -> dict[str, Any]:
        """The job's detail once it has ended."""
        ended: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[job_id] = ended
        if self._polling is None:
            self._polling = asyncio.ensure_future(self._poll())
        try:
            return await ended
        finally:
            del self._waiting[job_id]

    async def _poll(self) -> None:
        try:
            delay = FIRST_POLL_S
            while self._waiting:
                asked = set(self._waiting)
                await self._clock.sleep(max(delay, len(asked) / MOST_JOBS / CALLS_PER_S))
                ended = await asyncio.to_thread(self._ended, sorted(self._waiting))
                for job_id, detail in ended.items():
                    if (waiting := self._waiting.get(job_id)) and not waiting.done():
                        waiting.set_result(detail)
                await asyncio.sleep(0)  # whoever waited for them goes on, and may wait for others
                fresh = ended or not asked >= set(self._waiting)
                delay = FIRST_POLL_S if fresh else min(delay * GROWTH, MOST_POLL_S)
        except Exception as error:  # whoever waits must be told
            for waiting in self._waiting.values():
                waiting.set_exception(told(error) if isinstance(error, BatchError) else error)
        finally:
            self._polling = None

    def _ended(self, ids: list[str]) -> dict[str, dict[str, Any]]:
        """The details of those that have ended; none where Batch is busy: the next poll asks again."""
        try:
            jobs = list(self._jobs.describe(ids))
        except BatchError as error:
            if error.passes:
                return {}
            raise
        return {job["jobId"]: self._jobs.detail(job) for job in jobs if job["status"] in ENDED}


def told(error: BatchError) -> StatesError:
    """A refusal of Batch's under the name that a state machine knows it by."""
    name = error.code if error.code in _MODELLED else _GENERAL
    if not error.status:
        return StatesError(f"Batch.{name}", error.message)
    return StatesError(f"Batch.{name}", optimised_cause(error.message, "AWSBatch", error.status, error.code))


def _managed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    overrides = dict(arguments.get("ContainerOverrides") or {})
    overrides["Environment"] = [*overrides.get("Environment", ()), _MANAGED]
    return {**arguments, "ContainerOverrides": overrides}
