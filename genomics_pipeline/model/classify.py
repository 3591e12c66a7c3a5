"""Classification of failures by the Error and Cause of a failed child execution.

Causes are parsed as JSON, never searched: they also contain text of the job definition, such as the patterns of its
retry strategy. The cause of a generated Fail state is ``{"stage", "class", "error", "cause", "tried"}``;
the inner cause is the job's detail as DescribeJobs returns it, in PascalCase, or the message of a refused SubmitJob.
The fields of a job are looked up in `failure_tables`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from genomics_pipeline.model import quotas
from genomics_pipeline.model.access import NOT_AUTHORIZED, described_right
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.failure_tables import EXIT_CODE, class_of_error, class_of_job
from genomics_pipeline.model.function_errors import OF_SERVICES, function_class, is_function_failure
from genomics_pipeline.model.stage_try import StageTry


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
        times: The start and the end of each attempt of the last job, in seconds since the epoch; None where Batch does
            not have them.
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
    times: tuple[tuple[float, float] | None, ...] = ()
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
    failure_class, why = (FailureClass.UNKNOWN, "") if cause and not error else class_of_error(error)
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
    failure_class, why = class_of_job(error, str(job.get("Status") or ""), status_reason, reason, code)
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
        times=tuple(map(_times, _mappings(job.get("Attempts")))),
    )


def _times(attempt: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the start and the end of an attempt, which Batch gives in milliseconds; None where it lacks one."""
    started, stopped = (_number(attempt.get(name)) for name in ("StartedAt", "StoppedAt"))
    return None if started is None or stopped is None else (started / 1000, stopped / 1000)


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
