"""Error names of the States Language, and the rules by which Retry and Catch match them."""

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

_EVALUATION_ERRORS = frozenset({RUNTIME, QUERY_EVALUATION})


class StatesError(Exception):
    """The failure of a state.

    Attributes:
        error: The name that Retry and Catch match.
        cause: The explanation; None if AWS gives none, as for a timeout.
        aliases: Further names that Retry and Catch match.
        evaluation_failed: True if a field of a state could not be evaluated, so that the cause must name the state. By
            default it follows from the error's name.
        location: The field whose evaluation failed, such as ``Output``, if the history reports it in an event of its
            own.
        detail: What people need to know besides AWS's cause: what was expected and found, and where.
    """

    def __init__(
        self,
        error: str,
        cause: str | None = "",
        *,
        aliases: tuple[str, ...] = (),
        evaluation_failed: bool | None = None,
        location: str | None = None,
        detail: str | None = None,
    ) -> None:
        self.error = error[: quotas.ERROR.value]
        self.cause = cause[: quotas.CAUSE.value] if cause is not None else None
        self.aliases = aliases
        self.evaluation_failed = error in _EVALUATION_ERRORS if evaluation_failed is None else evaluation_failed
        self.location = location
        self.detail = detail
        super().__init__(f"{self.error}: {self.cause}" if self.cause else self.error)

    def with_final_cause(self, *aliases: str) -> StatesError:
        """Return the error with its cause final, so that no state is added; `aliases` are further names of it."""
        return StatesError(self.error, self.cause, aliases=(*self.aliases, *aliases), evaluation_failed=False)

    def with_state(self, state: str, event: int) -> StatesError:
        """Return the error with a cause that names the state whose field could not be evaluated, in AWS's words."""
        if not self.evaluation_failed:
            return self
        beginning = f"An error occurred while executing the state '{state}' (entered at the event id #{event}). "
        return StatesError(self.error, f"{beginning}{self.cause}", aliases=self.aliases, evaluation_failed=False)

    def output(self) -> dict[str, str]:
        """Return the error output that a catcher receives, ``$states.errorOutput``."""
        return {"Error": self.error, "Cause": self.cause or ""}

    def details(self) -> dict[str, str | None]:
        """Return the details of a history event; both are null for a Fail state without ``Error`` and ``Cause``."""
        return {"error": self.error or None, "cause": self.cause}


def too_large(name: str, *, is_task_result: bool = False) -> StatesError:
    """Return the error of a payload above 256 KiB, in words recorded on AWS.

    >>> too_large("lambda").error
    'States.DataLimitExceeded'

    Args:
        name: The state, or the resource of the task.
        is_task_result: True for what a task returned, which `States.ALL` matches, as recorded in 2024: the developer
            guide denies it, then as now.
    """
    limit = "a size exceeding the maximum number of bytes service limit"
    aliases = (ALL, TASK_FAILED) if is_task_result else ()
    return StatesError(DATA_LIMIT_EXCEEDED, f"The state/task '{name}' returned a result with {limit}.", aliases=aliases)


def matches(failure: StatesError, error_equals: Iterable[str]) -> bool:
    """Return whether a retrier or catcher with these ``ErrorEquals`` matches the error.

    >>> matches(StatesError("Batch.ClientException"), ["States.TaskFailed"])
    True
    >>> matches(StatesError("States.Timeout", None), ["States.TaskFailed"])
    False
    >>> matches(StatesError("States.Timeout", None, aliases=(HEARTBEAT_TIMEOUT,)), ["States.HeartbeatTimeout"])
    True
    >>> matches(StatesError("States.Runtime"), ["States.ALL"]), matches(too_large("x"), ["States.ALL"])
    (False, False)
    >>> matches(too_large("x"), ["States.DataLimitExceeded"])
    True
    >>> matches(too_large("x", is_task_result=True), ["States.ALL"])
    True
    """
    return any(_matches_name(name, failure) for name in error_equals)


def _matches_name(name: str, failure: StatesError) -> bool:
    if failure.error == RUNTIME:
        return False
    if name == failure.error or name in failure.aliases:
        return True
    if failure.error == DATA_LIMIT_EXCEEDED:
        return False
    return name == ALL or (name == TASK_FAILED and failure.error != TIMEOUT)
