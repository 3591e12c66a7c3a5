"""Python functions in the place of resources that Tasks call: Lambda functions, activity workers, any service."""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
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
from genomics_pipeline.engine.tasks.exit_calls import exits_end_the_function
from genomics_pipeline.engine.tasks.lambda_functions import LAMBDA, FunctionFailed, function_name
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import quotas

Function = Callable[[Any, Any], Any]  # (event, context), plain or async
_MAX_THREADS = 32  # fewer than Lambda's concurrency, but enough for a laptop


@dataclass(frozen=True, slots=True)
class CognitoIdentity:
    """The member ``identity`` of Lambda's context object, which Step Functions leaves empty."""

    cognito_identity_id: str | None = None
    cognito_identity_pool_id: str | None = None


@dataclass
class FunctionContext:
    """The second argument of a function: the members of Lambda's context object, and those of a task.

    Attributes:
        function_name: The Lambda function's name; for other resources, the resource.
        invoked_function_arn: The resource.
        callbacks: Ends tasks by their tokens; may be used in any thread.
        heartbeat: Sends a heartbeat of the task, for ``HeartbeatSeconds``; may be called in any thread.
        token: The task's token, if it has one.
        aws_request_id: A UUID for this call.
        function_version: Always ``$LATEST``.
        memory_limit_in_mb: Lambda's default, in MiB; a text, as in Lambda's Python runtime.
        identity: The caller's identity in Cognito.
        client_context: The application's data; always None.
        tenant_id: The tenant; always None.
        started: The start of the call, on the monotonic clock.
    """

    function_name: str
    invoked_function_arn: str
    callbacks: Callbacks
    heartbeat: Callable[[], None]
    token: str | None = None
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = str(quotas.FUNCTION_MEMORY.value)
    identity: CognitoIdentity = field(default_factory=CognitoIdentity)
    client_context: None = None
    tenant_id: None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def log_group_name(self) -> str:
        """The CloudWatch log group of the function."""
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        """The log stream of this call."""
        return f"[{self.function_version}]{self.aws_request_id.replace('-', '')}"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that remains of Lambda's maximum duration."""
        return max(0, 1000 * quotas.FUNCTION_SECONDS.value - round((time.monotonic() - self.started) * 1000))

    def log(self, message: object) -> None:
        """Write a message to the log, which is standard error."""
        sys.stderr.write(str(message))


class Functions:
    """The user's functions, by ARN or name.

    Args:
        functions: The functions.
        callbacks: The tokens that they can use.
    """

    def __init__(self, functions: Mapping[str, Function], callbacks: Callbacks) -> None:
        self._functions = functions
        self._callbacks = callbacks
        self._free_threads = asyncio.Semaphore(_MAX_THREADS)

    def __contains__(self, resource: str) -> bool:
        """Return whether there is a function for exactly this resource, or for this Lambda function."""
        return self._find(resource) is not None

    def has_lambda(self) -> bool:
        """Return whether there is a function that ``lambda:invoke`` can call."""
        return any(LAMBDA.fullmatch(name) or not name.startswith("arn:") for name in self._functions)

    async def call(self, resource: str, event: Any, context: TaskContext) -> str:
        """Call a function: a plain one in a thread, an async one in the event loop.

        Args:
            resource: The function's ARN or name.
            event: Any JSON value; the function receives a copy.
            context: The task's context.

        Returns:
            The result as JSON text, as Lambda's Python runtime writes it.

        Raises:
            KeyError: if there is no such function.
            StatesError: if the function raises one.
            FunctionFailed: if the function raises any other exception, or its result is not JSON.
        """
        function = self._find(resource)
        if function is None:
            raise KeyError(resource)
        loop = asyncio.get_running_loop()

        def heartbeat() -> None:
            with suppress(RuntimeError):  # the execution has ended, and its loop is closed
                loop.call_soon_threadsafe(context.heartbeat)

        function_context = FunctionContext(
            function_name(resource) or resource,
            resource,
            self._callbacks,
            heartbeat,
            context.token,
        )
        copy = json.loads(json.dumps(event))
        if inspect.iscoroutinefunction(function):
            end = await _await_end(function(copy, function_context))
        else:
            async with self._free_threads:
                end = await _run_in_thread(lambda: function(copy, function_context))
        if isinstance(end.error, StatesError):
            raise end.error
        if end.error is not None:
            raise _exception_failure(end.error, function_context.aws_request_id) from end.error
        return _to_json(end.result, function_context.aws_request_id)

    def _find(self, resource: str) -> Function | None:
        if resource in self._functions:
            return self._functions[resource]
        name = function_name(resource)
        if name is None:
            return None
        resource_name = _without_qualifier(resource)
        for known, function in self._functions.items():
            both_are_arns = LAMBDA.fullmatch(known) and LAMBDA.fullmatch(resource)
            if _without_qualifier(known) == resource_name or (not both_are_arns and function_name(known) == name):
                return function
        return None


@dataclass(frozen=True, slots=True)
class _FunctionEnd:
    """The end of a function: its result or its exception."""

    result: Any = None
    error: BaseException | None = None


async def _await_end(work: Awaitable[Any]) -> _FunctionEnd:
    try:
        with exits_end_the_function():
            return _FunctionEnd(await work)
    except (Exception, SystemExit) as error:
        return _FunctionEnd(error=error)


async def _run_in_thread(function: Callable[[], Any]) -> _FunctionEnd:
    """Call a function in a daemon thread, because a Task may time out while its function goes on."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_FunctionEnd] = loop.create_future()

    def set_end(end: _FunctionEnd) -> None:
        if not future.done():
            future.set_result(end)

    def run() -> None:
        try:
            with exits_end_the_function():
                end = _FunctionEnd(function())
        except BaseException as error:
            end = _FunctionEnd(error=error)
        with suppress(RuntimeError):  # the execution has ended, and its loop is closed
            loop.call_soon_threadsafe(set_end, end)

    threading.Thread(target=run, name="function", daemon=True).start()
    with real_work():
        return await future


def _without_qualifier(resource: str) -> str:
    """Return the ARN of a Lambda function without version or alias; any other resource unchanged."""
    match = LAMBDA.fullmatch(resource)
    return resource[: match.end("name")] if match else resource


def _exception_failure(error: BaseException, request_id: str) -> FunctionFailed:
    if isinstance(error, SystemExit):
        message = f"RequestId: {request_id} Error: Runtime exited with error: exit status {error.code or 0}"
        response = {"errorType": "Runtime.ExitError", "errorMessage": message}
        return FunctionFailed("Runtime.ExitError", message, json.dumps(response, ensure_ascii=False))
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    trace = [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n    {frame.line}\n' for frame in frames]
    return _failure(type(error).__name__, str(error), request_id, trace)


def _failure(error: str, message: str, request_id: str, trace: list[str]) -> FunctionFailed:
    response = {"errorMessage": message, "errorType": error, "requestId": request_id, "stackTrace": trace}
    return FunctionFailed(error, message, json.dumps(response, ensure_ascii=False))


def _to_json(result: Any, request_id: str) -> str:
    try:
        return json.dumps(result, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise _failure("Runtime.MarshalError", f"Unable to marshal response: {error}", request_id, []) from None
