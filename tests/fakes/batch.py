"""The Batch API, with the jobs that the fake's state machines submit; their output goes to CloudWatch Logs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore import xform_name

from genomics_pipeline.engine.execution import TaskHandler, Tasks
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model import quotas
from genomics_pipeline.model.container_overrides import OVERRIDES_TOO_LONG, overrides_length
from genomics_pipeline.model.job_name import is_job_name
from tests.fakes.batch_job import ARN, AnyDefinition, BatchJob
from tests.fakes.faults import ApiError, Bucket, Calls, Gate
from tests.fakes.job_queues import JobQueues, TimeLimits, WaitingJob
from tests.fakes.moto_clients import moto_client
from tests.fakes.queued_jobs import QueuedJobs, definition_problem
from tests.fakes.step_functions.pages import page
from tests.patience import PATIENCE_S

_OTHERS = (
    "DescribeJobs",
    "ListJobs",
    "TerminateJob",
    "TerminateJobs",
    "CancelJob",
    "DescribeJobDefinitions",
    "GetJobQueueSnapshot",
)
RATES = {"SubmitJob": quotas.SUBMIT_JOB_RATE, **dict.fromkeys(_OTHERS, quotas.BATCH_RATE)}
THROTTLED = ApiError("TooManyRequestsException", "Too Many Requests", 429)
_PATHS = {f"/v1/{name.lower()}": name for name in RATES}

Log = Callable[[str], None]
RunJob = Callable[[Job, Log], JobEnd]


class Batch:
    """The service AWS Batch.

    Args:
        run_job: Runs a job; its second argument is a function that logs a line of output.
        log_group: Returns the log group of a job definition.
        definitions: The job definitions by name.
        moto: The URL of moto, whose Batch has the job definitions of stacks.
        time_limits: Returns the ``JobStateTimeLimitActions`` of a queue, by its name.

    Attributes:
        queues: The queues, in which jobs wait that no host takes.
        events: The events that the service sent to EventBridge.
        jobs: All jobs that were started, by id.
        termination_errors: The answers of the next TerminateJobs to jobs that it does not terminate, by id.
    """

    name = "batch"

    def __init__(
        self,
        run_job: RunJob,
        log_group: Callable[[str], str | None],
        definitions: Any = None,
        moto: str = "",
        time_limits: TimeLimits = lambda queue: (),
    ) -> None:
        self.gate = Gate({name: Bucket(rate.value, rate.value) for name, rate in RATES.items()}, THROTTLED)
        self.calls = Calls()
        self.jobs: dict[str, BatchJob] = {}
        self.run_job = run_job
        self.termination_errors: dict[str, dict[str, str]] = {}
        self._log_group = log_group
        self.definitions = AnyDefinition() if definitions is None else definitions
        self._changed = threading.Condition()
        self.queues = JobQueues(time_limits, self._report_blocked, self._changed)
        self.events: list[dict[str, Any]] = []
        self._moto = moto
        self._created_groups: list[str] = []
        self._threads: list[threading.Thread] = []

    def close(self) -> None:
        """End the jobs that no state machine waits for, and delete the log groups, unless a test has deleted them."""
        for waiting in self.queues.waiting():
            self.queues.leave(waiting.job.job_id, "")
        for job in list(self.jobs.values()):
            job.job.cancelled.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        logs = moto_client("logs", self._moto)
        for group in self._created_groups:
            with suppress(logs.exceptions.ResourceNotFoundException):
                logs.delete_log_group(logGroupName=group)

    def tasks(self, folder: Path) -> Tasks:
        """Return the tasks of one execution, whose jobs all run at once."""
        return Handlers(self.handlers())

    def handlers(self) -> dict[str, TaskHandler]:
        """Return the handlers of the resources of Batch, for one execution."""
        jobs = QueuedJobs(self.definitions, self._run, self.enter, self.queues.leave)
        return BatchTasks(jobs).handlers()

    def wait(self, holds: Callable[[Batch], bool], timeout: float = PATIENCE_S) -> None:
        """Wait until a condition holds; it is checked when a job begins, writes a line or ends.

        Raises:
            TimeoutError: if it does not within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: holds(self), timeout):
                raise TimeoutError(f"{[job.status for job in self.jobs.values()]}")

    def running(self) -> list[BatchJob]:
        """Return the jobs that are running."""
        return [job for job in list(self.jobs.values()) if job.status == "RUNNING"]

    def blocked(self) -> list[BatchJob]:
        """Return the jobs that block their queues."""
        return [job for job in list(self.jobs.values()) if job.status == "RUNNABLE" and job.status_reason]

    def pass_time(self, seconds: float) -> None:
        """Let time pass for the jobs that wait; the queues cancel those whose time is up."""
        with self._changed:
            for job in self.jobs.values():
                job.created -= seconds if job.status == "RUNNABLE" else 0
            self.queues.pass_time(seconds)

    def enter(self, job: Job) -> Future[str]:
        """Put a job into its queue.

        Returns:
            An empty text once the job can start; the status reason of its end, if it ends in the queue.
        """
        with self._changed:
            waiting = self.queues.enter(job)
            if not waiting.started.done():
                self.jobs[job.job_id] = BatchJob(job, waiting=waiting)
                waiting.started.add_done_callback(lambda started: self._leave(job.job_id, started.result()))
                self._changed.notify_all()
        return waiting.started

    def _leave(self, job_id: str, reason: str) -> None:
        """Note the end of a job that never started."""
        if reason:
            job = self.jobs[job_id]
            job.stopped, job.end = time.time(), JobEnd(None, status_reason=reason)

    def _report_blocked(self, waiting: WaitingJob) -> None:
        """Send the event of a job that begins to block its queue: Batch user guide, "Job queue blocked events"."""
        detail = BatchJob(waiting.job, waiting=waiting).detail()
        self.events.append(
            {
                "version": "0",
                "id": str(uuid4()),
                "detail-type": "Batch Job Queue Blocked",
                "source": "aws.batch",
                "account": ARN.rpartition(":")[2],
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(waiting.since)),
                "region": "us-east-1",
                "resources": [detail["jobArn"], detail["jobQueue"]],
                "detail": detail,
            }
        )

    def _run(self, job: Job) -> JobEnd:
        before = self.jobs.get(job.job_id)
        batch_job = BatchJob(job) if before is None else BatchJob(job, before.created)

        def log(line: str) -> None:
            with self._changed:
                batch_job.lines.append(line)
                self._write(batch_job, line)
                self._changed.notify_all()

        with self._changed:
            self.jobs[job.job_id] = batch_job
            self._changed.notify_all()
        end = JobEnd(1, "the test's function failed")
        try:
            end = self.run_job(job, log)
        finally:
            stopped = job.cancelled.is_set() and not end.exit_code
            end = replace(end, exit_code=143 if stopped else end.exit_code, log_stream=batch_job.stream)
            if batch_job.terminated is not None and end.exit_code:
                end = replace(end, status_reason=batch_job.terminated)
            with self._changed:
                batch_job.stopped, batch_job.end = time.time(), end
                self._changed.notify_all()
        return end

    def _write(self, job: BatchJob, line: str) -> None:
        group = self._log_group(job.job.definition)
        if group is None:
            return
        logs = moto_client("logs", self._moto)
        if len(job.lines) == 1:
            groups = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
            if group not in [entry["logGroupName"] for entry in groups]:
                logs.create_log_group(logGroupName=group)
                self._created_groups.append(group)
            logs.create_log_stream(logGroupName=group, logStreamName=job.stream)
        event: Any = {"timestamp": int(time.time() * 1000), "message": line}
        logs.put_log_events(logGroupName=group, logStreamName=job.stream, logEvents=[event])

    # The API

    def operation(self, path: str, target: str | None) -> str | None:
        """Return the operation that a request is for."""
        return _PATHS.get(path)

    def handler(self, operation: str) -> Callable[..., dict[str, Any]] | None:
        """Return the method that answers an operation."""
        method: Callable[..., dict[str, Any]] | None = getattr(self, xform_name(operation), None)
        return method

    def submit_job(
        self,
        jobName: str,  # noqa: N803
        jobQueue: str,  # noqa: N803
        jobDefinition: str,  # noqa: N803
        containerOverrides: dict[str, Any] | None = None,  # noqa: N803
        timeout: dict[str, int] | None = None,
        **other: Any,
    ) -> dict[str, Any]:
        """Start a job immediately."""
        definition = jobDefinition.rsplit("/", 1)[-1].split(":")[0]
        if (declared := self.definitions.get(definition)) is None:
            raise ApiError("ClientException", f"JobDefinition not found: {jobDefinition}")
        if not is_job_name(jobName):
            raise ApiError(
                "ClientException", "Error executing request, Exception : Job name should match valid pattern"
            )
        if problem := definition_problem(jobDefinition):
            raise ApiError("ClientException", problem)
        overrides = containerOverrides or {}
        environment = {entry["name"]: entry["value"] for entry in overrides.get("environment", ())}
        seconds = (timeout or {}).get("attemptDurationSeconds")
        identity, size = str(uuid4()), (declared.vcpus, declared.memory_mib)
        job = Job(identity, jobName, definition, jobQueue, environment, *size, seconds)
        if overrides_length(overrides) > quotas.CONTAINER_OVERRIDES.value:
            self.jobs[identity] = BatchJob(job, waiting=WaitingJob(job))
            self._leave(identity, OVERRIDES_TOO_LONG)
            return {"jobArn": f"{ARN}:job/{identity}", "jobId": identity, "jobName": jobName}
        started = self.enter(job)
        self._threads.append(threading.Thread(target=lambda: started.result() or self._run(job), daemon=True))
        self._threads[-1].start()
        self.wait(lambda batch: identity in batch.jobs)
        return {"jobArn": f"{ARN}:job/{identity}", "jobId": identity, "jobName": jobName}

    def describe_jobs(self, jobs: list[str]) -> dict[str, Any]:
        """Describe the jobs that exist."""
        return {"jobs": [self.jobs[identity].detail() for identity in jobs if identity in self.jobs]}

    def describe_job_definitions(self, **parameters: Any) -> dict[str, Any]:
        """Describe the job definitions of moto's Batch, with the actions of retries as AWS's model writes them."""
        response: dict[str, Any] = dict(moto_client("batch", self._moto).describe_job_definitions(**parameters))
        response.pop("ResponseMetadata")
        for definition in response["jobDefinitions"]:
            for entry in definition.get("retryStrategy", {}).get("evaluateOnExit", ()):
                entry["action"] = entry["action"].upper()
        return response

    def get_job_queue_snapshot(self, jobQueue: str) -> dict[str, Any]:  # noqa: N803
        """Return the first hundred jobs of a queue that wait."""
        jobs = [
            {"jobArn": f"{ARN}:job/{one.job.job_id}", "earliestTimeAtPosition": int(one.since * 1000)}
            for one in self.queues.waiting(jobQueue)[:100]
        ]
        return {"frontOfQueue": {"jobs": jobs, "lastUpdatedAt": int(time.time() * 1000)}}

    def list_jobs(
        self,
        jobQueue: str | None = None,  # noqa: N803
        jobStatus: str = "RUNNING",  # noqa: N803
        maxResults: int | None = None,  # noqa: N803
        nextToken: str | None = None,  # noqa: N803
        **other: Any,
    ) -> dict[str, Any]:
        """List the jobs of a queue that have a status, the latest first."""
        if jobQueue is None:
            raise ApiError("ClientException", "One of jobQueue, arrayJobId, multiNodeJobId should be present")
        keys = ("jobArn", "jobId", "jobName", "createdAt", "status", "startedAt", "stoppedAt", "statusReason")
        jobs = enumerate(list(self.jobs.values()))
        summaries = [
            (number, {key: value for key, value in job.detail().items() if key in keys})
            for number, job in jobs
            if job.status == jobStatus and job.job.queue.rsplit("/", 1)[-1] == jobQueue.rsplit("/", 1)[-1]
        ]
        entries, following = page(summaries[::-1], [jobQueue, jobStatus], maxResults, nextToken)
        return {"jobSummaryList": entries, **following}

    def terminate_job(self, jobId: str, reason: str) -> dict[str, Any]:  # noqa: N803
        """Ask a job to end, unless it has ended or is unknown."""
        if (job := self.jobs.get(jobId)) and job.status in ("RUNNABLE", "RUNNING"):
            job.terminated = reason
            if not self.queues.leave(jobId, reason):
                job.job.cancelled.set()
        return {}

    def terminate_jobs(self, jobs: list[str], reason: str) -> dict[str, Any]:
        """Ask jobs to end; unknown jobs and those that have ended count as successful."""
        if len(jobs) > quotas.TERMINATE_JOBS.value:
            raise ApiError("ClientException", f"expected at most {quotas.TERMINATE_JOBS}, found {len(jobs)}")
        errors = [error for error in map(self.termination_errors.get, jobs) if error is not None]
        failed = {error["job"] for error in errors}
        for job in jobs:
            if job not in failed:
                self.terminate_job(job, reason)
            self.termination_errors.pop(job, None)
        return {"successful": [job for job in jobs if job not in failed], "errors": errors}
