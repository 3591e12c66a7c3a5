"""Python functions that stand for what a Task calls: Lambda functions, activities' workers, any service."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.fast_forward import real_work
from genomics_pipeline.engine.tasks.callbacks import Callbacks
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import quotas

Function = Callable[[Any, Any], Any]  # (event, context), plain or async
_AT_ONCE = 32  # threads; Lambda has more, a laptop has not
_LAMBDA = re.compile(r"arn:aws[\w-]*:lambda:[^:]*:[^:]*:function:(?P<name>[^:]+)(:[^:]+)?")


@dataclass(frozen=True, slots=True)
class FunctionContext:
    """What a function is given as its second argument: Lambda's context object, and ours.

    Attributes:
        function_name: The Lambda function's name; the resource of what is none.
        invoked_function_arn: What was called.
        callbacks: MapRunJournal tasks by their tokens, from any thread.
        heartbeat: Says that the task is alive, for ``HeartbeatSeconds``; from any thread.
        token: The task's token, where it has one.
        aws_request_id: A UUID for this call.
        function_version: Always ``$LATEST``.
    """

    function_name: str
    invoked_function_arn: str
    callbacks: Callbacks
    heartbeat: Callable[[], None]
    token: str | None = None
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    function_version: str = "$LATEST"
    started: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left of Lambda's longest run."""
        return max(0, 1000 * quotas.FUNCTION_SECONDS.value - round((time.monotonic() - self.started) * 1000))


class FunctionFailed(Exception):
    """A function raised, or its result is no JSON.

    Attributes:
        error: The exception's class.
        message: Its message.
        answer: What Lambda answers then, as its Python runtime writes it.
    """

    def __init__(self, error: str, message: str, answer: str) -> None:
        self.error = error
        self.message = message
        self.answer = answer
        super().__init__(message)


class Functions:
    """The functions there are, by the ARN or the name they were given.

    Args:
        functions: The functions.
        callbacks: The tokens they can use.
    """

    def __init__(self, functions: Mapping[str, Function], callbacks: Callbacks) -> None:
        self._functions = functions
        self._callbacks = callbacks
        self._places = asyncio.Semaphore(_AT_ONCE)

    def __contains__(self, resource: str) -> bool:
        """Return whether a function was given for exactly this resource, or for this Lambda function."""
        return self._find(resource) is not None

    def has_lambda(self) -> bool:
        """Return whether some function can be called by ``lambda:invoke``."""
        return any(_LAMBDA.fullmatch(name) or not name.startswith("arn:") for name in self._functions)

    async def call(self, resource: str, event: Any, context: TaskContext) -> str:
        """Call a function: a plain one in a thread, an async one here.

        Args:
            resource: Its ARN, or its name.
            event: Any JSON value; the function is given a copy.
            context: The task's.

        Returns:
            Its result, as JSON text as Lambda's Python runtime writes it.

        Raises:
            KeyError: if there is no such function.
            StatesError: if the function raises one.
            FunctionFailed: for every other exception.
        """
        function = self._find(resource)
        if function is None:
            raise KeyError(resource)
        loop = asyncio.get_running_loop()

        def heartbeat() -> None:
            with suppress(RuntimeError):  # the execution has ended, and its loop with it
                loop.call_soon_threadsafe(context.heartbeat)

        given = FunctionContext(
            _name(resource) or resource,
            resource,
            self._callbacks,
            heartbeat,
            context.token,
        )
        copy = json.loads(json.dumps(event))
        if inspect.iscoroutinefunction(function):
            outcome = await _awaited(function(copy, given))
        else:
            async with self._places:
                outcome = await _in_thread(lambda: function(copy, given))
        if isinstance(outcome.error, StatesError):
            raise outcome.error
        if outcome.error is not None:
            raise _failed(outcome.error, given.aws_request_id) from outcome.error
        return _json(outcome.result, given.aws_request_id)

    def _find(self, resource: str) -> Function | None:
        if resource in self._functions:
            return self._functions[resource]
        name = _name(resource)
        if name is None:
            return None
        unqualified = _unqualified(resource)
        for known, function in self._functions.items():
            both = _LAMBDA.fullmatch(known) and _LAMBDA.fullmatch(resource)
            if _unqualified(known) == unqualified or (not both and _name(known) == name):
                return function
        return None


@dataclass(frozen=True, slots=True)
class _FunctionEnd:
    """The end of a function: its result, or any exception as a value."""

    result: Any = None
    error: BaseException | None = None


async def _awaited(work: Awaitable[Any]) -> _FunctionEnd:
    try:
        return _FunctionEnd(await work)
    except (Exception, SystemExit) as error:
        return _FunctionEnd(error=error)


async def _in_thread(function: Callable[[], Any]) -> _FunctionEnd:
    """Call a function in a thread of its own, which the process does not wait for: a Task may have given it up."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[_FunctionEnd] = loop.create_future()

    def tell(outcome: _FunctionEnd) -> None:
        if not ended.done():
            ended.set_result(outcome)

    def run() -> None:
        try:
            outcome = _FunctionEnd(function())
        except BaseException as error:
            outcome = _FunctionEnd(error=error)
        with suppress(RuntimeError):  # the execution has ended, and its loop with it
            loop.call_soon_threadsafe(tell, outcome)

    threading.Thread(target=run, name="function", daemon=True).start()
    with real_work():
        return await ended


def _name(resource: str) -> str | None:
    """Return the name of a Lambda function; None for what is none.

    >>> _name("arn:aws:lambda:us-east-1:000000000000:function:align:live"), _name("align:live"), _name("arn:aws:sqs:x")
    ('align', 'align', None)
    """
    if found := _LAMBDA.fullmatch(resource):
        return found["name"]
    return None if resource.startswith("arn:") else resource.rsplit("function:", 1)[-1].split(":")[0]


def _unqualified(resource: str) -> str:
    """Return the ARN without version or alias."""
    found = _LAMBDA.fullmatch(resource)
    return resource[: found.end("name")] if found else resource


def _failed(error: BaseException, request_id: str) -> FunctionFailed:
    if isinstance(error, SystemExit):
        message = f"RequestId: {request_id} Error: Runtime exited with error: exit status {error.code or 0}"
        answer = {"errorType": "Runtime.ExitError", "errorMessage": message}
        return FunctionFailed("Runtime.ExitError", message, json.dumps(answer, ensure_ascii=False))
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    trace = [f'  File "{one.filename}", line {one.lineno}, in {one.name}\n    {one.line}\n' for one in frames]
    return _failure(type(error).__name__, str(error), request_id, trace)


def _failure(error: str, message: str, request_id: str, trace: list[str]) -> FunctionFailed:
    answer = {"errorMessage": message, "errorType": error, "requestId": request_id, "stackTrace": trace}
    return FunctionFailed(error, message, json.dumps(answer, ensure_ascii=False))


def _json(result: Any, request_id: str) -> str:
    try:
        return json.dumps(result, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise _failure("Runtime.MarshalError", f"Unable to marshal response: {error}", request_id, []) from None
