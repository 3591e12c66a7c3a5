"""The functions of steps on Lambda: execution environments that stay warm, within Lambda's limits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from typing import Any
from uuid import uuid4

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.aws_response import optimised_cause
from genomics_pipeline.engine.tasks.lambda_functions import FunctionFailed, function_name
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact, dumps, loads_lenient
from genomics_pipeline.runs.functions.environment import (
    MOST_ANSWER,
    CallCancelled,
    CallTimedOut,
    EnvironmentEnded,
    EnvironmentLost,
    ExecutionEnvironment,
    FunctionCall,
    LocalFunction,
    StartEnvironment,
    large_answer,
)

# The errors of Lambda, of which Step Functions reports the type as the error and the response as the cause.
# Sources: awslabs/aws-deployment-framework issue 758 (memory); awslabs/amazon-s3-find-and-forget pull request 283 and
# aws/aws-lambda-dotnet issue 480 (exit); aws/aws-lambda-runtime-interface-emulator (time); Lambda's developer guide,
# "Invoke" (size of the request) and the messages of its runtimes (size of the response).
OUT_OF_MEMORY = "Runtime.OutOfMemory"
EXITED = "Runtime.ExitError"
TIMED_OUT = "Sandbox.Timedout"
LARGE_REQUEST = "RequestTooLargeException"
SERVICE_ERROR = "Lambda.ServiceException"


class FunctionPool:
    """Functions in execution environments of this machine; implements `LambdaFunctions`.

    An environment is started when a call finds none idle, and serves further calls until the pool is closed. Where AWS
    would throttle a call above the reserved concurrency, which the state's Retry repeats, a call here waits.

    Args:
        functions: The functions.
        start: Starts an environment.
        concurrency: The greatest number of calls at the same time.
    """

    def __init__(self, functions: Mapping[str, LocalFunction], start: StartEnvironment, concurrency: int) -> None:
        self._functions = dict(functions)
        self._start = start
        self._idle: dict[str, list[ExecutionEnvironment]] = {name: [] for name in functions}
        self._free = asyncio.Semaphore(concurrency)
        reserved = {name: one.step.spec.resources.reserved_concurrency for name, one in functions.items()}
        self._reserved = {name: asyncio.Semaphore(most) for name, most in reserved.items() if most}
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="function")

    def __contains__(self, resource: str) -> bool:
        """Return whether there is a function with this ARN or name."""
        return function_name(resource) in self._functions

    async def call(self, resource: str, event: Any, context: TaskContext) -> str:
        """Call a function; see `LambdaFunctions`."""
        function = self._functions[function_name(resource) or ""]
        payload = dumps(event)
        if len(payload) > quotas.FUNCTION_PAYLOAD.value:
            message = (
                f"Request must be smaller than {quotas.FUNCTION_PAYLOAD.value} bytes for the InvokeFunction operation"
            )
            cause = optimised_cause(message, "AWSLambda", 413, LARGE_REQUEST)
            raise StatesError(f"Lambda.{LARGE_REQUEST}", cause)
        async with AsyncExitStack() as held:
            if function.name in self._reserved:
                await held.enter_async_context(self._reserved[function.name])
            await held.enter_async_context(self._free)
            call = FunctionCall(str(uuid4()), payload, function.timeout_s, threading.Event())
            return (await self._in_thread(function, call)).decode()

    async def _in_thread(self, function: LocalFunction, call: FunctionCall) -> bytes:
        """Run a call in a thread; if this task is cancelled, end the call first."""
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._run, function, call)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            call.cancelled.set()
            await asyncio.wait([work])
            work.exception()
            raise

    def _run(self, function: LocalFunction, call: FunctionCall) -> bytes:
        idle, is_warm = self._idle[function.name], False
        environment = self._environment(function)
        try:
            answer = environment.invoke(call)
            is_warm = not answer.is_last
        except CallTimedOut:
            raise _failure(call, TIMED_OUT, f"Task timed out after {function.timeout_s:.2f} seconds") from None
        except EnvironmentEnded as error:
            kind = OUT_OF_MEMORY if error.out_of_memory else EXITED
            raise _failure(call, kind, f"Runtime exited with error: {error.words}") from None
        except EnvironmentLost as error:
            raise StatesError(SERVICE_ERROR, f"the environment of {function.name} was lost: {error}") from None
        except CallCancelled:
            return b"null"  # nobody waits for it
        finally:
            if is_warm:
                idle.append(environment)
            else:
                environment.end()
        if answer.is_error:
            raise reported_failure(answer.body)
        if len(answer.body) > MOST_ANSWER:
            raise reported_failure(large_answer())
        return answer.body

    def _environment(self, function: LocalFunction) -> ExecutionEnvironment:
        """Return an idle environment that still runs, or a new one.

        Raises:
            StatesError: if none can be started, as AWS's service would say.
        """
        with suppress(IndexError):
            while idle := self._idle[function.name].pop():  # one operation, as several threads look for one
                if idle.is_running():
                    return idle
                idle.end()
        try:
            return self._start(function)
        except OSError as error:
            message = f"no environment of {function.name} can be started: {error.strerror or error}"
            raise StatesError(SERVICE_ERROR, message) from error

    def close(self) -> None:
        """End all environments; none runs a call any more."""
        self._threads.shutdown()
        for idle in self._idle.values():
            while idle:
                idle.pop().end()


def reported_failure(response: bytes) -> FunctionFailed:
    """Return the failure that a response of Lambda describes; ``Lambda.Unknown`` where it names no error.

    >>> reported_failure(b'{"errorType": "KeyError", "errorMessage": "amount"}').error
    'KeyError'
    >>> reported_failure(b'{"errorMessage": "2026-11-28T10:00:00.000Z 8f1d Task timed out after 3.00 seconds"}').error
    'Lambda.Unknown'
    """
    try:
        members = loads_lenient(response)
    except ValueError:
        members = response.decode(errors="replace")
    is_object = isinstance(members, dict)
    error = members.get("errorType") if is_object else None
    message = members.get("errorMessage", "") if is_object else members
    return FunctionFailed(str(error or "Lambda.Unknown"), str(message), compact(members))


def _failure(call: FunctionCall, error: str, words: str) -> FunctionFailed:
    members = {"errorType": error, "errorMessage": f"RequestId: {call.request_id} Error: {words}"}
    return reported_failure(dumps(members))
