"""Task tokens: ``.waitForTaskToken`` of any integration, and activities; who holds a token ends its task with it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.engine.execution import TaskContext, TaskHandler
from genomics_pipeline.language.errors import StatesError

_REMEMBERED = 100_000  # tokens that ended and are still told from those that never were
TASK_GONE = "Provided task does not exist anymore"  # what a late callback of a service's task is told


class CallbackError(Exception):
    """A callback was refused.

    Attributes:
        code: ``InvalidToken``, ``InvalidOutput`` or ``TaskTimedOut``, as SendTaskSuccess and its siblings name it.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class _WaitingTask:
    name: str
    ended: asyncio.Future[Any]
    heartbeat: Callable[[], None]
    loop: asyncio.AbstractEventLoop


class Callbacks:
    """The tokens that tasks wait for. `succeed`, `fail` and `heartbeat` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, _WaitingTask] = {}
        self._ended: dict[str, str] = {}  # token: what a late callback is told of its task

    def succeed(self, token: str, output: Any) -> None:
        """End the task with an output, any JSON value.

        Raises:
            CallbackError: ``InvalidOutput`` for what is no JSON; ``InvalidToken`` for a token that was not given out;
                ``TaskTimedOut`` for one whose task has ended.
        """
        try:
            value = json.loads(json.dumps(output, allow_nan=False))
        except (TypeError, ValueError):
            raise CallbackError("InvalidOutput", f"Invalid Output: '{output}' is not valid JSON.") from None
        self._end(token, lambda ended: ended.set_result(value))

    def fail(self, token: str, error: str = "", cause: str = "") -> None:
        """End the task with an error.

        Raises:
            CallbackError: see `succeed`.
        """
        self._end(token, lambda ended: ended.set_exception(StatesError(error, cause)))

    def heartbeat(self, token: str) -> None:
        """Say that the task is alive, for ``HeartbeatSeconds``.

        Raises:
            CallbackError: see `succeed`.
        """
        with self._lock:
            waiting = self._find(token)
        waiting.loop.call_soon_threadsafe(waiting.heartbeat)

    @contextmanager
    def issue_token(self, context: TaskContext, name: str) -> Iterator[asyncio.Future[Any]]:
        """Give out the context's token; the future ends when a callback does.

        Args:
            context: The task's.
            name: What a callback after the task's end is told it was.
        """
        token = context.token
        assert token is not None, "the interpreter makes a token for what waits for one"
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Any] = loop.create_future()
        with self._lock:
            self._waiting[token] = _WaitingTask(name, ended, context.heartbeat, loop)
        try:
            yield ended
        finally:
            with self._lock:
                self._waiting.pop(token, None)
                self._remember(token, name)
            if ended.done() and not ended.cancelled():
                ended.exception()  # a task that failed by itself does not look at it

    def _end(self, token: str, how: Callable[[asyncio.Future[Any]], None]) -> None:
        with self._lock:
            waiting = self._find(token)
            self._waiting.pop(token)  # the first callback wins
            self._remember(token, waiting.name)

        def end() -> None:
            if not waiting.ended.done():
                how(waiting.ended)

        waiting.loop.call_soon_threadsafe(end)

    def _find(self, token: str) -> _WaitingTask:
        if token in self._ended:
            raise CallbackError("TaskTimedOut", f"Task Timed Out: '{self._ended[token]}'")
        if token not in self._waiting:
            raise CallbackError("InvalidToken", "Invalid Token: 'Invalid token'")
        return self._waiting[token]

    def _remember(self, token: str, name: str) -> None:
        self._ended[token] = name
        if len(self._ended) > _REMEMBERED:
            self._ended.pop(next(iter(self._ended)))


class WaitForTaskToken:
    """A request, and then the wait for its token: ``.waitForTaskToken`` of the request's handler."""

    def __init__(self, request: TaskHandler, callbacks: Callbacks) -> None:
        self._request = request
        self._callbacks = callbacks

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Make the request, then wait.

        Returns:
            The callback's output; the request's own answer is not the task's result.

        Raises:
            StatesError: the request's, or the callback's.
        """
        with self._callbacks.issue_token(context, TASK_GONE) as ended:
            try:
                answer = await self._request(arguments, context)
                if not ended.done():
                    context.submitted(answer)
            except StatesError:
                if not ended.done():  # a callback that came first has ended the task already
                    raise
            return await ended
