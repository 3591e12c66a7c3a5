"""Errors of the States Language: their names, and which retrier or catcher takes which."""

from __future__ import annotations

from collections.abc import Iterable

ALL = "States.ALL"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
RUNTIME = "States.Runtime"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
QUERY_EVALUATION = "States.QueryEvaluationError"
NO_CHOICE_MATCHED = "States.NoChoiceMatched"
ITEM_READER_FAILED = "States.ItemReaderFailed"
RESULT_WRITER_FAILED = "States.ResultWriterFailed"
THRESHOLD_EXCEEDED = "States.ExceedToleratedFailureThreshold"

_TERMINAL = frozenset({RUNTIME, DATA_LIMIT_EXCEEDED})
_MAX_ERROR, _MAX_CAUSE = 256, 32768  # characters that AWS keeps


class StatesError(Exception):
    """A state failed; `error` is the name that Retry and Catch match, `cause` explains it."""

    def __init__(self, error: str, cause: str = "") -> None:
        self.error = error[:_MAX_ERROR]
        self.cause = cause[:_MAX_CAUSE]
        super().__init__(f"{self.error}: {self.cause}" if self.cause else self.error)

    def output(self) -> dict[str, str]:
        """What ``$states.errorOutput`` is."""
        return {"Error": self.error, "Cause": self.cause}


def matches(error: str, error_equals: Iterable[str]) -> bool:
    """Whether a retrier or catcher with these ``ErrorEquals`` takes the error.

    >>> matches("Batch.ClientException", ["States.TaskFailed"])
    True
    >>> matches("States.Timeout", ["States.TaskFailed"])
    False
    >>> matches("States.Runtime", ["States.ALL"])
    False
    """
    if error in _TERMINAL:
        return False
    return any(name in (error, ALL) or (name == TASK_FAILED and error != TIMEOUT) for name in error_equals)
