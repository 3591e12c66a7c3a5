"""Task tokens, by which a callback ends a task: ``.waitForTaskToken`` of any integration, and activities."""

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
from genomics_pipeline.model.json_text import compact

_REMEMBERED = 100_000  # tokens of ended tasks that are still distinguished from tokens that never existed
TASK_GONE = "Provided task does not exist anymore"  # AWS's message to a late callback of a service integration


class CallbackError(Exception):
    """The refusal of a callback.

    Attributes:
        code: ``InvalidToken``, ``InvalidOutput`` or ``TaskTimedOut``, the error codes of SendTaskSuccess,
            SendTaskFailure and SendTaskHeartbeat.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class _WaitingTask:
    name: str
    end: asyncio.Future[Any]
    heartbeat: Callable[[], None]
    loop: asyncio.AbstractEventLoop


class Callbacks:
    """The tokens of waiting tasks. `succeed`, `fail` and `heartbeat` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, _WaitingTask] = {}
        self._ended: dict[str, str] = {}  # names of ended tasks by token, for messages to late callbacks

    def succeed(self, token: str, output: Any) -> None:
        """End the task with an output, any JSON value.

        Raises:
            CallbackError: ``InvalidOutput`` if the output is not a JSON value; ``InvalidToken`` if the token was never
                issued; ``TaskTimedOut`` if its task has ended.
        """
        try:
            value = json.loads(json.dumps(output, allow_nan=False))
        except (TypeError, ValueError):
            raise CallbackError("InvalidOutput", f"Invalid Output: '{output}' is not valid JSON.") from None
        self._end(token, lambda end: end.set_result(value))

    def fail(self, token: str, error: str = "", cause: str = "") -> None:
        """End the task with an error.

        Raises:
            CallbackError: see `succeed`.
        """
        self._end(token, lambda end: end.set_exception(StatesError(error, cause)))

    def heartbeat(self, token: str) -> None:
        """Send a heartbeat of the task, for ``HeartbeatSeconds``.

        Raises:
            CallbackError: see `succeed`.
        """
        with self._lock:  # while the token is known, the loop is not closed
            waiting = self._find(token)
            waiting.loop.call_soon_threadsafe(waiting.heartbeat)

    @contextmanager
    def issue_token(self, context: TaskContext, name: str) -> Iterator[asyncio.Future[Any]]:
        """Accept callbacks with the context's token during the block.

        Args:
            context: The task's context.
            name: The task's name in messages to callbacks after its end.

        Yields:
            A future with the output or the error of the callback.
        """
        token = context.token
        assert token is not None, "the interpreter creates a token for every task that waits for one"
        loop = asyncio.get_running_loop()
        end: asyncio.Future[Any] = loop.create_future()
        with self._lock:
            self._waiting[token] = _WaitingTask(name, end, context.heartbeat, loop)
        try:
            yield end
        finally:
            with self._lock:
                self._waiting.pop(token, None)
                self._remember(token, name)
            if end.done() and not end.cancelled():
                end.exception()  # retrieved, or asyncio would log it, if the task failed without awaiting the future

    def _end(self, token: str, set_end: Callable[[asyncio.Future[Any]], None]) -> None:
        with self._lock:
            waiting = self._find(token)

            def end_task() -> None:
                if not waiting.end.done():
                    set_end(waiting.end)

            waiting.loop.call_soon_threadsafe(end_task)  # while the token is known, the loop is not closed
            self._waiting.pop(token)  # only the first callback counts
            self._remember(token, waiting.name)

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
    """The handler of a ``.waitForTaskToken`` resource: a request, then the wait for a callback."""

    def __init__(self, request: TaskHandler, callbacks: Callbacks) -> None:
        self._request = request
        self._callbacks = callbacks

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Make the request, then wait for the callback.

        Returns:
            The callback's output; the response to the request is not the task's result.

        Raises:
            StatesError: the error of the request or of the callback.
        """
        with self._callbacks.issue_token(context, TASK_GONE) as ended:
            try:
                answer = await self._request(arguments, context)
                if not ended.done():
                    context.submitted(answer)
            except StatesError:
                if not ended.done():  # otherwise an earlier callback has ended the task
                    raise
            return await ended


class EndedByCallback:
    """The handler of a ``.sync`` resource whose token is among its arguments: a callback ends the task early.

    AWS does so, although the developer guide offers tokens to ``.waitForTaskToken`` only: localstack/localstack
    v2/callback/test_callback.py, test_sync_with_task_token.
    """

    def __init__(self, handler: TaskHandler, callbacks: Callbacks) -> None:
        self._handler = handler
        self._callbacks = callbacks

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Do the task's work until it or a callback ends it.

        Raises:
            StatesError: the error of the work or of the callback.
        """
        if context.token is None or context.token not in compact(arguments):
            return await self._handler(arguments, context)
        with self._callbacks.issue_token(context, TASK_GONE) as ended:
            work = asyncio.ensure_future(self._handler(arguments, context))
            try:
                await asyncio.wait({work, ended}, return_when=asyncio.FIRST_COMPLETED)
                return await (work if work.done() else ended)
            finally:
                if not work.done():
                    work.cancel()
                    await asyncio.wait({work})
