"""The tables by which a failure gets its class: what the fields of a job begin with, exit codes, names of errors.

Generated definitions decide by the same tables, in the same order (`asl.healing`).
"""

from __future__ import annotations

from genomics_pipeline.model.batch_retry import EXITED, SIGTERM_EXIT_CODE
from genomics_pipeline.model.container_overrides import OVERRIDES_TOO_LONG
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.step import (
    ACCESS_DENIED_EXIT_CODE,
    BAD_INPUT_EXIT_CODE,
    OUT_OF_DISK_EXIT_CODE,
    OUT_OF_MEMORY_EXIT_CODE,
)

# Beginnings of a job's StatusReason. Sources of every line: tests/corpus/causes.
BY_STATUS_REASON = {
    "Host EC2": FailureClass.HOST_LOST,
    "Your Spot Task was interrupted": FailureClass.HOST_LOST,
    "Job attempt duration exceeded timeout": FailureClass.TIMEOUT,
    "Task failed to start": FailureClass.IMAGE,
    "Timeout waiting for network interface provisioning": FailureClass.IMAGE,
    "ECS was unable to assume the role": FailureClass.IMAGE,
    # A job that no host ran: cancelled by its queue (`aws.template.compute`), or still at the head of the queue.
    "Canceled by JobStateTimeLimit action": FailureClass.AWS_LIMIT,
    "CAPACITY:": FailureClass.AWS_LIMIT,
    "MISCONFIGURATION:": FailureClass.AWS_LIMIT,
    OVERRIDES_TOO_LONG: FailureClass.AWS_LIMIT,
    "cancelled by `genomics-pipeline": FailureClass.CANCELLED,  # the reason with which `cancel` calls TerminateJob
    "Ended with its Task": FailureClass.CANCELLED,  # the reason with which the engine calls it (`runs.aws.batch_api`)
}
# Beginnings of a container's Reason in lower case, else of the StatusReason. The names are the ECS agent's.
BY_REASON = {
    "outofmemory": FailureClass.OUT_OF_MEMORY,
    "cannotpull": FailureClass.IMAGE,
    "cannotcreate": FailureClass.IMAGE,
    "cannotstartcontainer": FailureClass.IMAGE,
    "cannotstopcontainer": FailureClass.IMAGE,
    "cannotinspect": FailureClass.IMAGE,
    "cannotdescribecontainer": FailureClass.IMAGE,
    "dockertimeout": FailureClass.IMAGE,
    "dockerstate": FailureClass.IMAGE,
    "cgroup": FailureClass.IMAGE,
    "resourceinitialization": FailureClass.IMAGE,
    "agent": FailureClass.IMAGE,
    # Messages of a task on this machine: of the worker, the C library, Python.
    "no space left on": FailureClass.OUT_OF_DISK,
    "[errno 28]": FailureClass.OUT_OF_DISK,
    "oserror: [errno 28]": FailureClass.OUT_OF_DISK,
    "disk quota exceeded": FailureClass.OUT_OF_DISK,
}
EXIT_CODE = "exit code"  # the beginning of `Failure.why` where the exit code decided
# The container's exit code; every other one but 0 is a TOOL_ERROR, except that of SIGTERM: see `_of_sigterm`.
BY_EXIT_CODE = {
    BAD_INPUT_EXIT_CODE: FailureClass.BAD_INPUT,
    ACCESS_DENIED_EXIT_CODE: FailureClass.ACCESS_DENIED,  # of the worker
    OUT_OF_DISK_EXIT_CODE: FailureClass.OUT_OF_DISK,
    OUT_OF_MEMORY_EXIT_CODE: FailureClass.OUT_OF_MEMORY,  # without a reason, a program of the step was killed
}
# A Task that timed out before its job started has waited for hosts for too long.
TIMED_OUT_TASK = "States.Timeout"
NOT_STARTED = ("SUBMITTED", "PENDING", "RUNNABLE")
# Names of errors. All others are UNKNOWN, of which docs/failures.md describes these: States.Runtime,
# States.QueryEvaluationError, States.NoChoiceMatched and similar ones are errors of the definition;
# States.ResultWriterFailed a bucket's; Batch.ClientException a job definition or queue that is not there;
# States.ExceedToleratedFailureThreshold is the result of other failures; States.TaskFailed alone has no class.
BY_ERROR = {
    "States.Timeout": FailureClass.TIMEOUT,
    "States.HeartbeatTimeout": FailureClass.TIMEOUT,
    "States.Permissions": FailureClass.ACCESS_DENIED,
    "States.DataLimitExceeded": FailureClass.AWS_LIMIT,
    "States.ItemReaderFailed": FailureClass.BAD_INPUT,  # the manifest is missing or cannot be read
    "Cancelled": FailureClass.CANCELLED,  # the error with which `cancel` calls StopExecution
    "": FailureClass.CANCELLED,  # only an aborted execution has neither error nor cause
    # Throttled and broken submissions, under the names that Step Functions gives them.
    "Batch.AWSBatchException": FailureClass.THROTTLED,
    "Batch.TooManyRequestsException": FailureClass.THROTTLED,
    "Batch.ServerException": FailureClass.THROTTLED,
    "Batch.BatchException": FailureClass.THROTTLED,
    "Batch.SdkClientException": FailureClass.THROTTLED,
}


def class_of_job(
    error: str, status: str, status_reason: str, reason: str, code: int | None
) -> tuple[FailureClass, str]:
    """Return the class and what decided it: the first of status reason, container reason, exit code and error.

    Args:
        error: The name of the error.
        status: The status of the job.
        status_reason: Its status reason.
        reason: The reason of its container.
        code: The exit code of its container; None where there is none.
    """
    for table, field, text in (
        (BY_STATUS_REASON, "status reason", status_reason),
        (BY_REASON, "container reason", reason),
        (BY_REASON, "status reason", status_reason),
    ):
        compared = text.lower() if table is BY_REASON else text
        for start, failure_class in table.items():
            if compared.startswith(start):
                return failure_class, f"{field}: {text}"
    if code == SIGTERM_EXIT_CODE:
        return _of_sigterm(status_reason)
    if code:
        return BY_EXIT_CODE.get(code, FailureClass.TOOL_ERROR), f"{EXIT_CODE}: {code}"
    if error == TIMED_OUT_TASK and status in NOT_STARTED:
        return FailureClass.AWS_LIMIT, f"error: {error}, while the job was {status}: no host ran it in time"
    return class_of_error(error) if error else (FailureClass.UNKNOWN, "")


def _of_sigterm(status_reason: str) -> tuple[FailureClass, str]:
    """Return the class of a container that was asked to end, and why.

    TerminateJob replaces the status reason by that of its caller, which is anybody's text. Without it, the host's agent
    stopped the container: its host is about to go.
    """
    if status_reason and not status_reason.startswith(EXITED):
        return FailureClass.CANCELLED, f"status reason: {status_reason}"
    return FailureClass.HOST_LOST, f"stopped by its host: SIGTERM ({EXIT_CODE} {SIGTERM_EXIT_CODE}), by no request"


def class_of_error(error: str) -> tuple[FailureClass, str]:
    """Return the class of an error without a job's detail, and what decided it."""
    if error in BY_ERROR:
        return BY_ERROR[error], f"error: {error}" if error else "neither error nor cause"
    return FailureClass.UNKNOWN, ""
