"""What a failed child execution's Error and Cause mean. Causes are parsed as JSON, never searched: they also hold our
own words, such as the patterns of a job definition's retry strategy.

The shapes: a cause of our definitions' Fail states is ``{"stage", "error", "cause"}``; within, ``batch:submitJob.sync``
gives the job's detail as DescribeJobs does, in PascalCase, or the text of what SubmitJob refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.step import BAD_INPUT_EXIT_CODE, OUT_OF_DISK_EXIT_CODE, OUT_OF_MEMORY_EXIT_CODE

SIGTERM_EXIT_CODE = 143

# AWS Batch user guide, "Job timeouts" and "Automated job retries"; the CDK's `Reason` class; what Fargate Spot tells.
_BY_STATUS_REASON = {
    "Host EC2": FailureClass.HOST_LOST,
    "Your Spot Task was interrupted": FailureClass.HOST_LOST,
    "Job attempt duration exceeded timeout": FailureClass.TIMEOUT,
    "Task failed to start": FailureClass.IMAGE,
    "cancelled by `genomics-pipeline": FailureClass.CANCELLED,  # what our own TerminateJob gives as its reason
}
_BY_REASON = {
    "outofmemory": FailureClass.OUT_OF_MEMORY,
    "cannotpull": FailureClass.IMAGE,
    "dockertimeout": FailureClass.IMAGE,
    "resourceinitialization": FailureClass.IMAGE,
    "agent": FailureClass.IMAGE,
    "cannotstartcontainer": FailureClass.IMAGE,
    "cannotcreatecontainer": FailureClass.IMAGE,
    "cannotinspectcontainer": FailureClass.IMAGE,
}
_BY_EXIT_CODE = {
    BAD_INPUT_EXIT_CODE: FailureClass.BAD_INPUT,
    OUT_OF_DISK_EXIT_CODE: FailureClass.OUT_OF_DISK,
    OUT_OF_MEMORY_EXIT_CODE: FailureClass.OUT_OF_MEMORY,
    SIGTERM_EXIT_CODE: FailureClass.CANCELLED,
}
_BY_ERROR = {
    "States.Timeout": FailureClass.TIMEOUT,
    "States.HeartbeatTimeout": FailureClass.TIMEOUT,
    "States.DataLimitExceeded": FailureClass.AWS_LIMIT,
    "Cancelled": FailureClass.CANCELLED,  # what our own StopExecution gives as its error
    "": FailureClass.CANCELLED,  # only what was aborted has neither error nor cause
    # Throttled and broken submissions, under the names that Step Functions gives them.
    "Batch.AWSBatchException": FailureClass.THROTTLED,
    "Batch.TooManyRequestsException": FailureClass.THROTTLED,
    "Batch.ServerException": FailureClass.THROTTLED,
    "Batch.BatchException": FailureClass.THROTTLED,
    "Batch.SdkClientException": FailureClass.THROTTLED,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure, understood.

    Attributes:
        failure_class: Its class.
        message: What a person is told.
        stage: The stage it happened in; None where the cause does not say.
        exit_code: Of the container; None where it never ended by itself.
        job_id: The Batch job.
        log_streams: CloudWatch's log streams of its attempts, the last one last; None for one that had none.
        attempts: How often Batch tried.
    """

    failure_class: FailureClass
    message: str
    stage: str | None = None
    exit_code: int | None = None
    job_id: str | None = None
    log_streams: tuple[str | None, ...] = ()
    attempts: int = 0


def classify(error: str, cause: str) -> Failure:
    """What a failure is.

    Args:
        error: ``Error`` of a failed execution, empty where it has none.
        cause: Its ``Cause``, likewise.

    >>> classify("States.TaskFailed", '{"stage": "alignment", "error": "States.Timeout", "cause": "too slow"}')
    Failure(failure_class=<FailureClass.TIMEOUT: 'timeout'>, message='too slow', stage='alignment', exit_code=None, \
job_id=None, log_streams=(), attempts=0)
    """
    detail = _object(cause)
    if detail is not None and {"stage", "cause"} <= detail.keys():
        inner = classify(str(detail.get("error", error)), str(detail["cause"]))
        return replace(inner, stage=str(detail["stage"]))
    if detail is not None and ("Container" in detail or "Attempts" in detail or "JobId" in detail):
        return _of_job(error, detail)
    found = FailureClass.UNKNOWN if cause and not error else _BY_ERROR.get(error, FailureClass.UNKNOWN)
    return Failure(found, cause or error or "aborted before it ended")


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:  # plain words, or JSON that was cut at 32,768 characters
        return None
    return found if isinstance(found, dict) else None


def _of_job(error: str, job: Mapping[str, Any]) -> Failure:
    attempts = [attempt for attempt in job.get("Attempts") or () if isinstance(attempt, dict)]
    container: Mapping[str, Any] = job.get("Container") or {}
    last = (attempts[-1].get("Container") or {}) if attempts else {}
    code = container.get("ExitCode", last.get("ExitCode"))
    reason = str(container.get("Reason") or last.get("Reason") or "")
    status_reason = str(job.get("StatusReason") or "")
    streams = [(one.get("Container") or {}).get("LogStreamName") for one in attempts]
    return Failure(
        failure_class=_class(error, status_reason, reason, code),
        message=reason or status_reason or error,
        exit_code=code,
        job_id=job.get("JobId"),
        log_streams=by_attempt(streams, container.get("LogStreamName")),
        attempts=len(attempts),
    )


def by_attempt(streams: Sequence[str | None], latest: str | None) -> tuple[str | None, ...]:
    """The log streams of a job's attempts: a running attempt's is told of the job's container only.

    >>> by_attempt(["a", None], "b")
    ('a', None, 'b')
    """
    return (*streams, latest) if latest and latest not in streams else tuple(streams)


def _class(error: str, status_reason: str, reason: str, code: int | None) -> FailureClass:
    """The first that tells: why Batch ended the job, why its container ended, the exit code, the error."""
    for start, found in _BY_STATUS_REASON.items():
        if status_reason.startswith(start):
            return found
    for start, found in _BY_REASON.items():
        if reason.lower().startswith(start) or status_reason.lower().startswith(start):
            return found
    if code in _BY_EXIT_CODE:
        return _BY_EXIT_CODE[code]
    if code:
        return FailureClass.TOOL_ERROR
    return _BY_ERROR.get(error, FailureClass.UNKNOWN) if error else FailureClass.UNKNOWN
