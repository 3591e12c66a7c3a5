"""The API of Step Functions, implemented by the engine.

Names, limits and errors are those of botocore's model. Rates are those of the developer guide, "Quotas", and of
recorded Service Quotas (radkawar/stackd testdata/aws/stepfunctions/api_throttling.json), in us-east-1.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore import xform_name

from genomics_pipeline.engine.clock import SystemClock
from genomics_pipeline.engine.execution import ARN, Tasks
from genomics_pipeline.language.validation.validate import diagnose
from genomics_pipeline.model import quotas
from genomics_pipeline.stores.protocol import Store
from tests.fakes.faults import ApiError, Bucket, Calls, Gate
from tests.fakes.step_functions.execution import Environment, Execution, Machine
from tests.fakes.step_functions.pages import page

RATES = {
    rate.operation: rate
    for rate in (
        quotas.CREATE_STATE_MACHINE,
        quotas.DESCRIBE_EXECUTION,
        quotas.DESCRIBE_MAP_RUN,
        quotas.DESCRIBE_STATE_MACHINE,
        quotas.GET_EXECUTION_HISTORY,
        quotas.LIST_EXECUTIONS,
        quotas.LIST_MAP_RUNS,
        quotas.REDRIVE_EXECUTION,
        quotas.START_EXECUTION,
        quotas.STOP_EXECUTION,
        quotas.VALIDATE_DEFINITION,
    )
}
THROTTLED = ApiError("ThrottlingException", "Rate exceeded")
_TARGET = "AWSStepFunctions."
_NAME = re.compile(f"[^{quotas.NOT_IN_NAMES}]{{1,{quotas.EXECUTION_NAME.value}}}")


def validation(
    definition: str,
    severity: str = "ERROR",
    maxResults: int = 0,  # noqa: N803
    **other: Any,
) -> dict[str, Any]:
    """Return the answer of ValidateStateMachineDefinition, as the validator of the package diagnoses a definition."""
    found = [one for one in diagnose(json.loads(definition)) if severity == "WARNING" or one.severity == "ERROR"]
    most = maxResults or quotas.DIAGNOSTICS.value
    diagnostics = [
        {"severity": one.severity, "code": one.code, "message": one.message, "location": one.path}
        for one in found[:most]
    ]
    refused = any(one.severity == "ERROR" for one in found)
    return {"result": "FAIL" if refused else "OK", "diagnostics": diagnostics, "truncated": len(found) > most}


class StepFunctions:
    """The service AWS Step Functions.

    Args:
        folder: The folder of the executions' journals.
        store: The store of all buckets.
        tasks: Returns the tasks of an execution, for a folder of its own.
        find_definition: Returns the definition of a state machine that was not created by this API, by name.

    Attributes:
        executions: All executions by ARN, in the order of their starts.
    """

    name = "stepfunctions"

    def __init__(
        self,
        folder: Path,
        store: Store,
        tasks: Callable[[Path], Tasks],
        find_definition: Callable[[str], str | None] = lambda name: None,
    ) -> None:
        self.gate = Gate({name: Bucket(rate.burst, rate.value) for name, rate in RATES.items()}, THROTTLED)
        self.calls = Calls()
        self.executions: dict[str, Execution] = {}
        self.environment = Environment(store, tasks, SystemClock())
        self._folder = folder
        self._find_definition = find_definition
        self._machines: dict[str, Machine] = {}
        self._lock = threading.Lock()

    def operation(self, path: str, target: str | None) -> str | None:
        """Return the operation that a request is for."""
        return target.removeprefix(_TARGET) if target and target.startswith(_TARGET) else None

    def handler(self, operation: str) -> Callable[..., dict[str, Any]] | None:
        """Return the method that answers an operation."""
        method: Callable[..., dict[str, Any]] | None = getattr(self, xform_name(operation), None)
        return method

    def close(self) -> None:
        """Stop running executions, wait for their ends, and raise their errors."""
        for execution in self.executions.values():
            execution.stop(None, None)
        for execution in self.executions.values():
            execution.wait()
            if execution.failure is not None:
                raise execution.failure

    # State machines

    def create_state_machine(
        self,
        name: str,
        definition: str,
        roleArn: str,  # noqa: N803
        **other: Any,
    ) -> dict[str, Any]:
        """Create a state machine, unless the same one exists."""
        if not _NAME.fullmatch(name):
            raise ApiError("InvalidName", f"Invalid Name: '{name}'")
        try:
            json.loads(definition)["States"]
        except (ValueError, KeyError, TypeError) as error:
            raise ApiError("InvalidDefinition", f"Invalid State Machine Definition: '{error}'") from error
        machine = self._machines.setdefault(name, Machine(name, definition, roleArn))
        if (machine.definition, machine.role) != (definition, roleArn):
            raise ApiError("StateMachineAlreadyExists", f"State Machine Already Exists: '{machine.arn}'")
        return {"stateMachineArn": machine.arn, "creationDate": machine.created}

    def validate_state_machine_definition(self, definition: str, **options: Any) -> dict[str, Any]:
        """Return what the validator of the package says of a definition."""
        return validation(definition, **options)

    def describe_state_machine(self, stateMachineArn: str, **other: Any) -> dict[str, Any]:  # noqa: N803
        """Describe a state machine."""
        machine = self._machine(stateMachineArn)
        return {
            "stateMachineArn": machine.arn,
            "name": machine.name,
            "status": "ACTIVE",
            "definition": machine.definition,
            "roleArn": machine.role,
            "type": "STANDARD",
            "creationDate": machine.created,
        }

    def list_state_machines(self, maxResults: int | None = None, nextToken: str | None = None) -> dict[str, Any]:  # noqa: N803
        """List all state machines that this API created."""
        entries = [
            {"stateMachineArn": machine.arn, "name": machine.name, "type": "STANDARD", "creationDate": machine.created}
            for machine in list(self._machines.values())
        ]
        entries_of_page, following = page(enumerate(entries), "machines", maxResults, nextToken)
        return {"stateMachines": entries_of_page, **following}

    # Executions

    def start_execution(
        self,
        stateMachineArn: str,  # noqa: N803
        name: str | None = None,
        input: str = "{}",  # noqa: A002
        **other: Any,
    ) -> dict[str, Any]:
        """Start an execution, unless it is running with the same name and input."""
        machine = self._machine(stateMachineArn)
        with self._lock:
            name = name or hashlib.sha256(f"{time.time_ns()}".encode()).hexdigest()[:32]
            if not _NAME.fullmatch(name):
                raise ApiError("InvalidName", f"Invalid Name: '{name}'")
            try:
                json.loads(input)
            except ValueError as error:
                raise ApiError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from error
            arn = f"{ARN}:execution:{machine.name}:{name}"
            if running := self.executions.get(arn):
                if running.status != "RUNNING" or running.text != input:
                    raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
            else:
                folder = self._folder / hashlib.sha256(arn.encode()).hexdigest()[:16]
                self.executions[arn] = Execution(machine, name, input, folder, self.environment)
        return {"executionArn": arn, "startDate": self.executions[arn].started}

    def stop_execution(
        self,
        executionArn: str,  # noqa: N803
        error: str | None = None,
        cause: str | None = None,
    ) -> dict[str, Any]:
        """Stop an execution, unless it has ended."""
        execution = self._execution(executionArn)
        execution.stop(error, cause)
        return {"stopDate": execution.stopped}

    def redrive_execution(self, executionArn: str, clientToken: str) -> dict[str, Any]:  # noqa: N803
        """Redrive an execution from where it failed."""
        if any(executionArn in execution.children for execution in list(self.executions.values())):
            raise NotImplementedError(f"to redrive a child: {executionArn}")
        return {"redriveDate": self._execution(executionArn).redrive(clientToken)}

    def describe_execution(self, executionArn: str, **other: Any) -> dict[str, Any]:  # noqa: N803
        """Describe an execution, or a child of a Map Run."""
        for execution in list(self.executions.values()):
            if executionArn in execution.children:
                return execution.child(executionArn)
        return self._execution(executionArn).description()

    def list_executions(
        self,
        stateMachineArn: str | None = None,  # noqa: N803
        mapRunArn: str | None = None,  # noqa: N803
        statusFilter: str | None = None,  # noqa: N803
        maxResults: int | None = None,  # noqa: N803
        nextToken: str | None = None,  # noqa: N803
        **other: Any,
    ) -> dict[str, Any]:
        """List executions of a state machine, or children of a Map Run, the latest first."""
        if (stateMachineArn is None) == (mapRunArn is None):
            raise ApiError("ValidationException", "Must specify exactly one of stateMachineArn and mapRunArn")
        entries: list[dict[str, Any]]
        if mapRunArn is not None:
            children = list(self._map_run(mapRunArn).children.values())
            entries = [child.list_entry() for child in children if child.map_run == mapRunArn]
        else:
            machine = self._machine(str(stateMachineArn))
            entries = [item.list_entry() for item in list(self.executions.values()) if item.machine is machine]
        numbered = list(enumerate(entries))[::-1]
        matching = [entry for entry in numbered if statusFilter in (None, entry[1]["status"])]
        entries_of_page, following = page(matching, [stateMachineArn, mapRunArn, statusFilter], maxResults, nextToken)
        return {"executions": entries_of_page, **following}

    def get_execution_history(
        self,
        executionArn: str,  # noqa: N803
        maxResults: int | None = None,  # noqa: N803
        reverseOrder: bool = False,  # noqa: N803
        nextToken: str | None = None,  # noqa: N803
        **other: Any,
    ) -> dict[str, Any]:
        """Return the events of an execution that is no child; the engine records no others."""
        if any(executionArn in execution.children for execution in list(self.executions.values())):
            raise NotImplementedError(f"the history of a child: {executionArn}")
        if other.get("includeExecutionData") is False:
            raise NotImplementedError("a history without its data")
        events = self._execution(executionArn).history()
        numbered = [(event["id"], event) for event in (events[::-1] if reverseOrder else events)]
        events_of_page, following = page(numbered, [executionArn, reverseOrder], maxResults, nextToken)
        return {"events": events_of_page, **following}

    # Map Runs

    def list_map_runs(
        self,
        executionArn: str,  # noqa: N803
        maxResults: int | None = None,  # noqa: N803
        nextToken: str | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        """List the Map Runs of an execution, the latest first."""
        execution = self._execution(executionArn)
        runs = [execution.map_run(arn) for arn in list(execution.map_runs)]
        entries = [
            {
                "executionArn": execution.arn,
                "mapRunArn": run["mapRunArn"],
                "stateMachineArn": f"{execution.machine.arn}/{run['label']}",
                **{key: run[key] for key in ("startDate", "stopDate") if key in run},
            }
            for run in runs
        ]
        entries_of_page, following = page(list(enumerate(entries))[::-1], executionArn, maxResults, nextToken)
        return {"mapRuns": entries_of_page, **following}

    def describe_map_run(self, mapRunArn: str) -> dict[str, Any]:  # noqa: N803
        """Describe a Map Run as it is now."""
        run = self._map_run(mapRunArn).map_run(mapRunArn)
        return {key: value for key, value in run.items() if key not in ("label", "transitions", "resultWriterDetails")}

    def update_map_run(
        self,
        mapRunArn: str,  # noqa: N803
        maxConcurrency: int | None = None,  # noqa: N803
        **tolerances: Any,
    ) -> dict[str, Any]:
        """Change MaxConcurrency of a Map Run that is running: children that run go on, others wait."""
        if tolerances:
            raise NotImplementedError(f"an update of {', '.join(tolerances)}")
        execution = self._map_run(mapRunArn)
        if execution.map_run(mapRunArn)["status"] != "RUNNING":
            raise ApiError("ValidationException", f"Map Run is not running: '{mapRunArn}'")
        if maxConcurrency is not None:
            execution.limit_map_run(mapRunArn, maxConcurrency)
        return {}

    # Lookups

    def _machine(self, arn: str) -> Machine:
        name = _last(arn, "stateMachine")
        if name not in self._machines and (definition := self._find_definition(name)) is not None:
            self._machines[name] = Machine(name, definition, "arn:aws:iam::000000000000:role/states")
        if name not in self._machines:
            raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return self._machines[name]

    def _execution(self, arn: str) -> Execution:
        _last(arn, "execution")
        if arn not in self.executions:
            raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return self.executions[arn]

    def _map_run(self, arn: str) -> Execution:
        _last(arn, "mapRun")
        for execution in list(self.executions.values()):
            if arn in execution.map_runs:
                return execution
        raise ApiError("ResourceNotFound", f"Resource not found: '{arn}'")


def _last(arn: str, kind: str) -> str:
    """Return the last part of an ARN, which must be of a kind."""
    if not re.fullmatch(rf"arn:[\w-]+:states:[\w-]+:\d{{12}}:{kind}:.+", arn):
        raise ApiError("InvalidArn", f"Invalid Arn: 'Resource type not valid in this context: {arn}'")
    return arn.split(":", 6)[6]
