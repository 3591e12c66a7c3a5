"""``states:startExecution(.sync, .sync:2)``: executions of other state machines, and of the running one."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from genomics_pipeline.engine.execution import ARN, TaskContext
from genomics_pipeline.engine.redrive import NOT_REDRIVABLE
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.tasks.aws_response import metadata, milliseconds, optimised_cause, require_arguments
from genomics_pipeline.engine.tasks.background import Background
from genomics_pipeline.language.errors import TASK_FAILED, StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact

START_EXECUTION = "arn:aws:states:::states:startExecution"
Run = Callable[[str, str, Any], Awaitable[ExecutionResult]]  # (machine, execution's name, input)
_NAME = re.compile(f"[^{quotas.NOT_IN_NAMES}]{{1,{quotas.EXECUTION_NAME.value}}}")


@dataclass(frozen=True, slots=True)
class StartedExecution:
    """An execution that a Task started.

    Attributes:
        machine: Name of its state machine.
        name: Its name.
        input: Its input.
        start_date: Start time in milliseconds since the epoch.
        end: Its result, and the stop time in milliseconds since the epoch.
    """

    machine: str
    name: str
    input: Any
    start_date: int
    end: asyncio.Task[tuple[ExecutionResult, int]]

    @property
    def arn(self) -> str:
        """The execution's ARN."""
        return f"{ARN}:execution:{self.machine}:{self.name}"


class StartExecution:
    """The handlers of ``arn:aws:states:::states:startExecution``: `request`, `sync` and `sync_2`.

    Args:
        machines: The names or ARNs of all state machines.
        run: Runs an execution to its end.
    """

    def __init__(self, machines: Collection[str], run: Run) -> None:
        self._machines = machines
        self._run = run
        self._background = Background()
        self._named: dict[str, StartedExecution] = {}  # by ARN, where the caller chose the name

    async def request(self, arguments: Any, context: TaskContext) -> Any:
        """Start an execution without waiting for it.

        Returns:
            ``{ExecutionArn, SdkHttpMetadata, SdkResponseMetadata, StartDate}``.

        Raises:
            StatesError: ``StepFunctions.StateMachineDoesNotExistException``,
                ``StepFunctions.ExecutionAlreadyExistsException`` or ``StepFunctions.InvalidNameException``.
        """
        return _response(self._start(arguments, context), context)

    async def sync(self, arguments: Any, context: TaskContext) -> Any:
        """Start an execution and wait for its end.

        Returns:
            The execution as DescribeExecution describes it, in PascalCase; ``Input`` and ``Output`` are JSON text.

        Raises:
            StatesError: as in `request`; ``States.TaskFailed`` with the description as its cause if the execution
                failed.
        """
        return await self._wait(arguments, context, compact)

    async def sync_2(self, arguments: Any, context: TaskContext) -> Any:
        """Run an execution as `sync` does, with ``Input`` and ``Output`` as JSON values."""
        return await self._wait(arguments, context, lambda value: value)

    async def drain(self) -> None:
        """Wait for the executions that no Task waits for."""
        await self._background.drain()

    def _start(self, arguments: Any, context: TaskContext) -> StartedExecution:
        (state_machine_arn,) = require_arguments(arguments, "StateMachineArn")
        machine = self._machine(str(state_machine_arn))
        name = arguments.get("Name")
        if name is not None and not _NAME.fullmatch(str(name)):
            raise _request_error(f"Invalid Name: '{name}'", "InvalidName")
        value = _input(arguments.get("Input"))
        arn = f"{ARN}:execution:{machine}:{name}"
        if before := self._named.get(arn):
            if before.end.done() or before.input != value:
                raise _request_error(f"Execution Already Exists: '{arn}'", "ExecutionAlreadyExists")
            return before  # while an execution runs, a request with the same name and input is idempotent
        execution_name = str(uuid4()) if name is None else str(name)

        async def run() -> tuple[ExecutionResult, int]:
            result = await self._run(machine, execution_name, value)
            return result, milliseconds(context.clock.now())

        start = milliseconds(context.clock.now())
        started = StartedExecution(machine, execution_name, value, start, self._background.start(run()))
        if name is not None:
            self._named[arn] = started
        return started

    async def _wait(self, arguments: Any, context: TaskContext, payload: Callable[[Any], Any]) -> Any:
        started = self._start(arguments, context)
        context.submitted(_response(started, context))
        result, stop = await started.end
        succeeded = result.status == "SUCCEEDED"
        reason = NOT_REDRIVABLE.format("SUCCEEDED")
        members = {
            "Cause": result.cause or None,
            "Error": result.error,
            "ExecutionArn": started.arn,
            "Input": payload(started.input),
            "InputDetails": {"Included": True},
            "Name": started.name,
            **({"Output": payload(result.output), "OutputDetails": {"Included": True}} if succeeded else {}),
            "RedriveCount": 0,
            "RedriveStatus": "NOT_REDRIVABLE" if succeeded else "REDRIVABLE",
            "RedriveStatusReason": reason if succeeded else None,
            "StartDate": started.start_date,
            "StateMachineArn": f"{ARN}:stateMachine:{started.machine}",
            "Status": result.status,
            "StopDate": stop,
        }
        optional = ("Cause", "Error", "RedriveStatusReason")
        description = {name: value for name, value in members.items() if value is not None or name not in optional}
        if succeeded:
            return description
        raise StatesError(TASK_FAILED, compact(description))

    def _machine(self, reference: str) -> str:
        """Return the name of the state machine with a name or an ARN, which may have a version or an alias."""
        name = reference.rsplit(":stateMachine:", 1)[-1].split(":")[0]
        for known in self._machines:
            if known == reference or known.rsplit(":stateMachine:", 1)[-1] == name:
                return known.rsplit(":stateMachine:", 1)[-1]
        raise _request_error(f"State Machine Does Not Exist: '{reference}'", "StateMachineDoesNotExist")


def _response(started: StartedExecution, context: TaskContext) -> dict[str, Any]:
    """Return the response of StartExecution."""
    body = compact({"executionArn": started.arn, "startDate": started.start_date / 1000})
    return {
        "ExecutionArn": started.arn,
        **metadata(body, context.clock.now(), "application/x-amz-json-1.0"),
        "StartDate": started.start_date,
    }


def _request_error(message: str, code: str) -> StatesError:
    return StatesError(f"StepFunctions.{code}Exception", optimised_cause(message, "AWSStepFunctions", 400, code))


def _input(argument: Any) -> Any:
    """Return the execution's input: JSON text is parsed, as by StartExecution; no input is an empty object."""
    if argument is None:
        return {}
    if isinstance(argument, str):
        try:
            return json.loads(argument)
        except ValueError:
            return argument
    return argument
