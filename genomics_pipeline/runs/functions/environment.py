"""The port to an execution environment, in which one call of a function runs at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.worker.step_folder import StepFolder

MOST_ANSWER = quotas.FUNCTION_PAYLOAD.value + 100  # bytes, of Lambda's own message
KILLED = "signal: killed"  # the words of Lambda for a runtime that SIGKILL ended, as the kernel does for its memory


@dataclass(frozen=True, slots=True)
class LocalFunction:
    """A step on Lambda as a function of this machine.

    Attributes:
        name: The name of the function.
        step: The step.
    """

    name: str
    step: StepFolder

    @property
    def memory_mib(self) -> int:
        """The memory of an environment."""
        return self.step.spec.resources.memory_mib

    @property
    def timeout_s(self) -> int:
        """The time after which a call is ended."""
        return self.step.spec.resources.timeout_s


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call of a function.

    Attributes:
        request_id: A UUID.
        payload: The payload, as JSON.
        timeout_s: The time after which it is ended.
        cancelled: Ends it when it is set.
        started: Its start, in seconds of the monotonic clock.
    """

    request_id: str
    payload: bytes
    timeout_s: float
    cancelled: threading.Event
    started: float = field(default_factory=time.monotonic)

    @property
    def remaining_s(self) -> float:
        """The time that remains of the timeout."""
        return self.started + self.timeout_s - time.monotonic()

    def refuse_more_time(self) -> None:
        """Refuse to wait any longer once the call is cancelled or its time is over.

        Raises:
            CallTimedOut: if its time is over.
            CallCancelled: if it is cancelled.
        """
        if self.cancelled.is_set():
            raise CallCancelled
        if self.remaining_s <= 0:
            raise CallTimedOut


@dataclass(frozen=True, slots=True)
class FunctionAnswer:
    """The answer of an environment.

    Attributes:
        body: The function's result, or an error in Lambda's shape; JSON.
        is_error: True for an error.
        is_last: True if the environment has to be ended, since its runtime could not be started.
    """

    body: bytes
    is_error: bool
    is_last: bool = False


class CallCancelled(Exception):
    """The end of a call whose caller no longer waits for it."""


class CallTimedOut(Exception):
    """The end of a call whose time is over."""


class EnvironmentEnded(Exception):
    """The end of an environment within a call.

    Attributes:
        words: The end in Lambda's words, such as ``exit status 3``.
        out_of_memory: True if it needed more memory than the function has.
    """

    def __init__(self, words: str, out_of_memory: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.out_of_memory = out_of_memory


class EnvironmentLost(Exception):
    """The end of an environment by a fault of this machine, and not of the function."""


def refuse_silent(refuse_dead: Callable[[], None], has_answered: Callable[[], bool]) -> None:
    """Refuse an environment that has ended, unless it answered its call before.

    The answer may come, and the environment end, between the last look for the answer and the look at the environment.

    Args:
        refuse_dead: Raises `EnvironmentEnded` if the environment has ended.
        has_answered: Returns whether there is an answer.

    Raises:
        EnvironmentEnded: if the environment ended without an answer.
    """
    try:
        refuse_dead()
    except EnvironmentEnded:
        if not has_answered():
            raise


class ExecutionEnvironment(Protocol):
    """A place where the calls of one function run, one at a time; it stays warm between them."""

    def invoke(self, call: FunctionCall) -> FunctionAnswer:
        """Run a call and return its answer; after an exception, the environment can only be ended.

        Raises:
            CallCancelled: if the call was cancelled.
            CallTimedOut: if it ran out of time.
            EnvironmentEnded: if the environment ended.
            EnvironmentLost: if it was ended by a fault of this machine.
        """

    def is_running(self) -> bool:
        """Return whether the environment can take a call."""

    def end(self) -> None:
        """End the environment, whatever runs in it."""


def large_answer() -> bytes:
    """Return Lambda's response for an answer that is too large."""
    message = f"Response payload size exceeded maximum allowed payload size ({MOST_ANSWER} bytes)."
    return dumps({"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"})


StartEnvironment = Callable[[LocalFunction], ExecutionEnvironment]
