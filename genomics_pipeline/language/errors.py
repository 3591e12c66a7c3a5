"""Errors of the States Language: their names, and which retrier or catcher takes which."""

from __future__ import annotations

from collections.abc import Iterable

from genomics_pipeline.model import quotas

ALL = "States.ALL"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
RUNTIME = "States.Runtime"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
QUERY_EVALUATION = "States.QueryEvaluationError"
RESULT_PATH_MATCH_FAILURE = "States.ResultPathMatchFailure"
REFERENCE_PATH_CONFLICT = "States.ReferencePathConflict"
BRANCH_FAILED = "States.BranchFailed"
ITEM_READER_FAILED = "States.ItemReaderFailed"
RESULT_WRITER_FAILED = "States.ResultWriterFailed"
THRESHOLD_EXCEEDED = "States.ExceedToleratedFailureThreshold"

_EVALUATION = frozenset({RUNTIME, QUERY_EVALUATION})


class StatesError(Exception):
    """A state failed.

    Attributes:
        error: The name that Retry and Catch match.
        cause: What explains it; None where AWS gives none, as for a timeout.
        also: Further names that Retry and Catch may match it by.
        evaluating: Whether a field of a state failed to evaluate: the cause must then name the state. So it is for
            the names that AWS gives such failures, unless it is said.
        location: The field whose evaluation failed, where the history tells it in an event of its own: ``Output``.
    """

    def __init__(
        self,
        error: str,
        cause: str | None = "",
        *,
        also: tuple[str, ...] = (),
        evaluating: bool | None = None,
        location: str | None = None,
    ) -> None:
        self.error = error[: quotas.ERROR.value]
        self.cause = cause[: quotas.CAUSE.value] if cause is not None else None
        self.also = also
        self.evaluating = error in _EVALUATION if evaluating is None else evaluating
        self.location = location
        super().__init__(f"{self.error}: {self.cause}" if self.cause else self.error)

    def plain(self, *also: str) -> StatesError:
        """Return the error with its cause final; `also` are further names to match it by."""
        return StatesError(self.error, self.cause, also=(*self.also, *also), evaluating=False)

    def within(self, state: str, event: int) -> StatesError:
        """Return the error with a cause that names the state whose field failed, in AWS's words."""
        if not self.evaluating:
            return self
        place = f"An error occurred while executing the state '{state}' (entered at the event id #{event}). "
        return StatesError(self.error, f"{place}{self.cause}", also=self.also, evaluating=False)

    def output(self) -> dict[str, str]:
        """Return what a catcher is given: ``$states.errorOutput``."""
        return {"Error": self.error, "Cause": self.cause or ""}

    def details(self) -> dict[str, str | None]:
        """Return what an event of the history says; a Fail state without ``Error`` and ``Cause`` says nothing."""
        return {"error": self.error or None, "cause": self.cause}


def too_large(what: str) -> StatesError:
    """Return the error of a payload above 256 KiB. Text: recorded on AWS.

    >>> too_large("lambda").error
    'States.DataLimitExceeded'
    """
    limit = "a size exceeding the maximum number of bytes service limit"
    return StatesError(DATA_LIMIT_EXCEEDED, f"The state/task '{what}' returned a result with {limit}.")


def matches(failure: StatesError, error_equals: Iterable[str]) -> bool:
    """Return whether a retrier or catcher with these ``ErrorEquals`` takes the error.

    >>> matches(StatesError("Batch.ClientException"), ["States.TaskFailed"])
    True
    >>> matches(StatesError("States.Timeout", None), ["States.TaskFailed"])
    False
    >>> matches(StatesError("States.Timeout", None, also=(HEARTBEAT_TIMEOUT,)), ["States.HeartbeatTimeout"])
    True
    >>> matches(StatesError("States.Runtime"), ["States.ALL"]), matches(too_large("x"), ["States.ALL"])
    (False, False)
    >>> matches(too_large("x"), ["States.DataLimitExceeded"])
    True
    """
    return any(_takes(name, failure) for name in error_equals)


def _takes(name: str, failure: StatesError) -> bool:
    if failure.error == RUNTIME:
        return False
    if name == failure.error or name in failure.also:
        return True
    if failure.error == DATA_LIMIT_EXCEEDED:
        return False
    return name == ALL or (name == TASK_FAILED and failure.error != TIMEOUT)
