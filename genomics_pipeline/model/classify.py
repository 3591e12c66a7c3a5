"""Classification of failures by the Error and Cause of a failed child execution.

Causes are parsed as JSON, never searched: they also contain text of the job definition, such as the patterns of its
retry strategy. The cause of a generated Fail state is ``{"stage", "class", "error", "cause", "tried"}``;
the inner cause is the job's detail as DescribeJobs returns it, in PascalCase, or the message of a refused SubmitJob.
Generated definitions decide by the same tables, in the same order (`asl.healing`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from genomics_pipeline.model import quotas
from genomics_pipeline.model.access import NOT_AUTHORIZED, described_right
from genomics_pipeline.model.batch_retry import EXITED, SIGTERM_EXIT_CODE
from genomics_pipeline.model.container_overrides import OVERRIDES_TOO_LONG
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.function_errors import OF_SERVICES, function_class, is_function_failure
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


@dataclass(frozen=True, slots=True)
class StageTry:
    """One attempt of a stage that failed.

    Attributes:
        failure_class: The class of its failure.
        memory_mib: The memory of its job.
        job_id: The Batch job; None where none was submitted.
    """

    failure_class: FailureClass
    memory_mib: int | None = None
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure with its class.

    Attributes:
        failure_class: Its class.
        message: The message for the user.
        why: The field that decided the class, and its text; empty where none did.
        error: The error's name.
        stage: The stage that failed; None if the cause does not contain it.
        exit_code: The exit code of the container; None where it did not end by itself.
        job_id: The last Batch job.
        memory_mib: The memory of that job.
        log_streams: The CloudWatch log streams of its attempts, in their order; None for an attempt without one.
        attempts: The number of attempts of all jobs in Batch.
        tried: The failed attempts of the stage, if the definition counted them.
    """

    failure_class: FailureClass
    message: str
    why: str = ""
    error: str = ""
    stage: str | None = None
    exit_code: int | None = None
    job_id: str | None = None
    memory_mib: int | None = None
    log_streams: tuple[str | None, ...] = ()
    attempts: int = 0
    tried: tuple[StageTry, ...] = ()

    @property
    def attempt(self) -> int:
        """Return the number of the last attempt among those of its job, as Batch counts them."""
        return self.attempts - len(_earlier(self.tried, self.job_id))

    @property
    def by_exit_code(self) -> bool:
        """Tell whether the exit code alone decided the class, so that the worker may know a better one."""
        return self.why.startswith(EXIT_CODE)


def classify(error: str, cause: str) -> Failure:
    """Classify a failure.

    Args:
        error: ``Error`` of a failed execution, empty if it has none.
        cause: Its ``Cause``, empty if it has none.

    >>> failure = classify("States.TaskFailed", '{"stage": "align", "error": "States.Timeout", "cause": "too slow"}')
    >>> failure.failure_class, failure.stage, failure.message, failure.why
    (<FailureClass.TIMEOUT: 'timeout'>, 'align', 'too slow', 'error: States.Timeout')
    """
    detail = _object(cause)
    if detail is None and _is_cut(cause):
        return _of_cut(error, dict(_whole_members(cause)))
    if detail is not None and {"stage", "cause"} <= detail.keys():
        return _of_stage(error, detail)
    if detail is not None and ("Container" in detail or "Attempts" in detail or "JobId" in detail):
        return _of_job(error, detail)
    if is_function_failure(error, detail):
        return _of_function(error, cause, detail or {})
    failure_class, why = (FailureClass.UNKNOWN, "") if cause and not error else _by_error(error)
    if NOT_AUTHORIZED in cause:  # of a refused submission, which has the same error name as a throttled one
        failure_class, why = FailureClass.ACCESS_DENIED, f"cause: {NOT_AUTHORIZED.strip(': ')}"
    return Failure(failure_class, _with_words(cause or error or "aborted before it ended"), why, error)


def _with_words(message: str) -> str:
    """Return a message of AWS, after a sentence about the right that it says is missing, if it does."""
    right = described_right(message)
    return f"{right}\n{message}" if right else message


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # plain text, or JSON that was cut
        return None
    return value if isinstance(value, dict) else None


def _is_cut(cause: str) -> bool:
    return cause.startswith("{") and len(cause) >= quotas.CAUSE.value


def _whole_members(text: str) -> Iterator[tuple[str, Any]]:
    """Yield the members of a JSON object without spaces, up to the one in which its text was cut."""
    decoder, position = json.JSONDecoder(), 0
    try:
        while text[position] in "{,":
            name, colon = decoder.raw_decode(text, position + 1)
            value, position = decoder.raw_decode(text, colon + 1)
            if text[position] == ",":
                yield str(name), value
    except (ValueError, IndexError, RecursionError):
        return


def _of_cut(error: str, members: Mapping[str, Any]) -> Failure:
    """Classify a cause that was cut; the first members of a Fail state's cause have what the definition decided."""
    known = _class_named(members.get("class"))
    return Failure(
        failure_class=known or FailureClass.UNKNOWN,
        message=f"AWS cut the cause after {quotas.CAUSE.value:,} characters; see the job's log",
        why=f"class: {known}, as classified by the state machine" if known else "",
        error=str(members.get("error", error)),
        stage=str(members["stage"]) if "stage" in members else None,
    )


def _of_stage(error: str, detail: Mapping[str, Any]) -> Failure:
    """Classify the cause of a Fail state. Only the definition knows the step's own exit codes."""
    inner = classify(str(detail.get("error", error)), str(detail["cause"]))
    known = _class_named(detail.get("class"))
    if known and known != inner.failure_class and inner.by_exit_code:
        inner = replace(inner, failure_class=known, why=f"{inner.why}, by the step's own exit codes")
    tried = tuple(_tries(detail.get("tried")))
    return replace(
        inner,
        stage=str(detail["stage"]),
        tried=tried,
        attempts=inner.attempts + len(_earlier(tried, inner.job_id)),
    )


def _tries(tried: Any) -> Iterator[StageTry]:
    for one in _mappings(tried):
        failure_class = _class_named(one.get("class")) or FailureClass.UNKNOWN
        yield StageTry(failure_class, _number(one.get("memory_mib")), one.get("job_id"))


def _earlier(tried: Sequence[StageTry], last: str | None) -> list[StageTry]:
    """Return the attempts of the stage that had another job than the last."""
    return [one for one in tried if one.job_id not in (None, last)]


def _class_named(name: Any) -> FailureClass | None:
    return FailureClass(name) if name in list(FailureClass) else None


def _of_function(error: str, cause: str, detail: Mapping[str, Any]) -> Failure:
    """Classify the failure of a Lambda function: its own exception, or an error of the service."""
    message = detail.get("errorMessage")
    kind = f"{error}: " if detail and not error.startswith(OF_SERVICES) else ""
    failure_class = function_class(error, cause)
    return Failure(
        failure_class, _with_words(f"{kind}{message}" if message else cause or error), f"error: {error}", error
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(values: Any) -> list[Mapping[str, Any]]:
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _number(value: Any) -> int | None:
    """Return a number that Batch gives as a number or as text; None for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None


def _of_job(error: str, job: Mapping[str, Any]) -> Failure:
    containers = [_mapping(one.get("Container")) for one in _mappings(job.get("Attempts"))]
    container, last = _mapping(job.get("Container")), containers[-1] if containers else {}
    code = _number(container.get("ExitCode", last.get("ExitCode")))
    reason = str(container.get("Reason") or last.get("Reason") or "")
    status_reason = str(job.get("StatusReason") or "")
    failure_class, why = _class(error, str(job.get("Status") or ""), status_reason, reason, code)
    streams = [one.get("LogStreamName") for one in containers]
    return Failure(
        failure_class=failure_class,
        message=_with_words(reason or status_reason or error),
        why=why,
        error=error,
        exit_code=code,
        job_id=job.get("JobId"),
        memory_mib=_memory_mib(container),
        log_streams=attempt_log_streams(streams, container.get("LogStreamName")),
        attempts=len(containers),
    )


def _memory_mib(container: Mapping[str, Any]) -> int | None:
    """Return the memory of a container, which has `Memory` only without `ResourceRequirements` (botocore's model)."""
    required = _mappings(container.get("ResourceRequirements"))
    values = [one.get("Value") for one in required if one.get("Type") == "MEMORY"]
    return _number(values[0] if values else container.get("Memory"))


def attempt_log_streams(streams: Sequence[str | None], latest: str | None) -> tuple[str | None, ...]:
    """Return the log streams of a job's attempts; that of a running attempt is in the job's container only.

    >>> attempt_log_streams(["a", None], "b")
    ('a', None, 'b')
    """
    return (*streams, latest) if latest and latest not in streams else tuple(streams)


def _class(error: str, status: str, status_reason: str, reason: str, code: int | None) -> tuple[FailureClass, str]:
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
    return _by_error(error) if error else (FailureClass.UNKNOWN, "")


def _of_sigterm(status_reason: str) -> tuple[FailureClass, str]:
    """Return the class of a container that was asked to end, and why.

    TerminateJob replaces the status reason by that of its caller, which is anybody's text. Without it, the host's agent
    stopped the container: its host is about to go.
    """
    if status_reason and not status_reason.startswith(EXITED):
        return FailureClass.CANCELLED, f"status reason: {status_reason}"
    return FailureClass.HOST_LOST, f"stopped by its host: SIGTERM ({EXIT_CODE} {SIGTERM_EXIT_CODE}), by no request"


def _by_error(error: str) -> tuple[FailureClass, str]:
    if error in BY_ERROR:
        return BY_ERROR[error], f"error: {error}" if error else "neither error nor cause"
    return FailureClass.UNKNOWN, ""
