"""``states:startExecution``: the started execution, the response, and requests that are refused.

The shapes: localstack v2/callback/test_callback.snapshot.json (test_start_execution_sync, _sync2,
_sync_delegate_failure, _sync_delegate_timeout), v2/services/test_sfn_task_service.snapshot.json (test_start_execution),
v2/error_handling/test_task_service_sfn.snapshot.json; dates as radkawar/stackd task_integrations.json has them,
nested-request-response; the members of redrive as measured on AWS by floci-io/floci,
AslExecutorNestedStartExecutionTest.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.tasks.start_execution import StartExecution
from genomics_pipeline.language.errors import StatesError

Make = Callable[..., TaskContext]
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:child"
EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:child:TestStartTarget"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
NAMED = {"StateMachineArn": MACHINE, "Name": "TestStartTarget"}


class FakeRuns:
    """Executions that end with a fixed result.

    Attributes:
        result: The result.
        started: (machine, name, input) of all executions.
        ended: The number of executions that have ended.
    """

    def __init__(self, **result: Any) -> None:
        self.result = ExecutionResult(**(result or {"status": "SUCCEEDED", "output": {"Arg1": "argument1"}}))
        self.started: list[tuple[str, str, Any]] = []
        self.ended = 0

    async def __call__(self, machine: str, name: str, value: Any) -> ExecutionResult:
        self.started.append((machine, name, value))
        await asyncio.sleep(0)
        self.ended += 1
        return self.result


def start_execution(runs: FakeRuns) -> StartExecution:
    return StartExecution(["parent", "child"], runs)


def test_sync_submits_the_response_of_start_execution(task: Make) -> None:
    submitted: list[Any] = []
    asyncio.run(start_execution(FakeRuns()).sync(NAMED, replace(task(), submitted=submitted.append)))
    (response,) = submitted
    assert sorted(response) == ["ExecutionArn", "SdkHttpMetadata", "SdkResponseMetadata", "StartDate"]
    assert response["ExecutionArn"] == EXECUTION


def test_sync_returns_the_execution_with_its_payloads_as_text(task: Make) -> None:
    description = asyncio.run(start_execution(FakeRuns()).sync(NAMED, task()))
    assert description == {
        "ExecutionArn": EXECUTION,
        "Input": "{}",
        "InputDetails": {"Included": True},
        "Name": "TestStartTarget",
        "Output": '{"Arg1":"argument1"}',
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "StartDate": 1790201831644,
        "StateMachineArn": MACHINE,
        "Status": "SUCCEEDED",
        "StopDate": 1790201831644,
    }
    assert list(description) == sorted(description)


def test_sync_2_returns_the_execution_with_json_values(task: Make) -> None:
    description = asyncio.run(start_execution(FakeRuns()).sync_2({**NAMED, "Input": {"Hello": "World"}}, task()))
    assert (description["Input"], description["Output"]) == ({"Hello": "World"}, {"Arg1": "argument1"})


def test_an_output_of_null_is_an_output(task: Make) -> None:
    runs = FakeRuns(status="SUCCEEDED", output=None)
    description = asyncio.run(start_execution(runs).sync_2({**NAMED, "Input": None}, task()))
    assert description["Output"] is None
    assert asyncio.run(start_execution(runs).sync(NAMED, task()))["Output"] == "null"


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (
            {"status": "FAILED", "error": "SomeFailure", "cause": "because"},
            {"Cause": "because", "Error": "SomeFailure"},
        ),
        ({"status": "TIMED_OUT", "error": "States.Timeout", "cause": ""}, {"Error": "States.Timeout"}),
    ],
)
def test_a_failed_execution_is_the_cause_of_a_failed_task(task: Make, result: Any, error: dict[str, str]) -> None:
    with pytest.raises(StatesError) as raised:
        asyncio.run(start_execution(FakeRuns(**result)).sync({**NAMED, "Input": {"Payload": None}}, task()))
    assert raised.value.error == "States.TaskFailed"
    assert json.loads(str(raised.value.cause)) == {
        **error,
        "ExecutionArn": EXECUTION,
        "Input": '{"Payload":null}',
        "InputDetails": {"Included": True},
        "Name": "TestStartTarget",
        "RedriveCount": 0,
        "RedriveStatus": "REDRIVABLE",
        "StartDate": 1790201831644,
        "StateMachineArn": MACHINE,
        "Status": result["status"],
        "StopDate": 1790201831644,
    }


def test_a_request_returns_immediately_and_drain_waits_for_the_end(task: Make) -> None:
    runs = FakeRuns()

    async def start_and_drain() -> Any:
        start = start_execution(runs)
        response = await start.request(NAMED, task())
        before = runs.ended
        await start.drain()
        return response, before

    response, before = asyncio.run(start_and_drain())
    assert (before, runs.ended) == (0, 1)
    request = response.pop("SdkResponseMetadata")["RequestId"]
    http = response.pop("SdkHttpMetadata")
    assert response == {"ExecutionArn": EXECUTION, "StartDate": 1790201831644}
    assert http["HttpHeaders"] == {
        "Connection": "keep-alive",
        "Content-Length": str(len(EXECUTION) + len('{"executionArn":"","startDate":1790201831.644}')),
        "Content-Type": "application/x-amz-json-1.0",
        "Date": "Wed, 23 Sep 2026 22:17:11 GMT",
        "x-amzn-RequestId": request,
    }


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, {}),
        ({"Input": None}, {}),
        ({"Input": {"a": 1}}, {"a": 1}),
        ({"Input": '{"a":1}'}, {"a": 1}),
        ({"Input": "plain words"}, "plain words"),
        ({"Input": []}, []),
    ],
)
def test_json_text_in_input_is_parsed(task: Make, arguments: dict[str, Any], expected: Any) -> None:
    runs = FakeRuns()
    asyncio.run(start_execution(runs).sync({"StateMachineArn": "child", **arguments}, task()))
    ((machine, name, value),) = runs.started
    assert (machine, value) == ("child", expected)
    assert re.fullmatch(UUID, name)


@pytest.mark.parametrize("arn", [MACHINE, f"{MACHINE}:3", f"{MACHINE}:live", "child"])
def test_a_machine_is_found_by_its_name_or_arn(task: Make, arn: str) -> None:
    runs = FakeRuns()
    asyncio.run(StartExecution([MACHINE], runs).sync({"StateMachineArn": arn}, task()))
    assert runs.started[0][0] == "child"


def refusal(call: Any) -> tuple[str, str]:
    with pytest.raises(StatesError) as raised:
        asyncio.run(call)
    return raised.value.error, re.sub(UUID, "UUID", str(raised.value.cause))


def test_an_unknown_machine_is_refused(task: Make) -> None:
    assert refusal(start_execution(FakeRuns()).request({"StateMachineArn": f"{MACHINE}x"}, task())) == (
        "StepFunctions.StateMachineDoesNotExistException",
        f"State Machine Does Not Exist: '{MACHINE}x' (Service: AWSStepFunctions; Status Code: 400; "
        "Error Code: StateMachineDoesNotExist; Request ID: UUID; Proxy: null)",
    )


@pytest.mark.parametrize("name", ["a b", "a/b", "x" * 81, ""])
def test_an_invalid_name_is_refused(task: Make, name: str) -> None:
    # The rule and the code: botocore stepfunctions, StartExecutionInput$name and InvalidName.
    error, cause = refusal(start_execution(FakeRuns()).sync({"StateMachineArn": MACHINE, "Name": name}, task()))
    assert error == "StepFunctions.InvalidNameException"
    assert cause.startswith(f"Invalid Name: '{name}' (Service: AWSStepFunctions; Status Code: 400; ")


def test_a_name_can_be_used_again_only_for_the_same_request(task: Make) -> None:
    # botocore stepfunctions, StartExecution: only the same name and input succeed again, and only while it runs.
    runs = FakeRuns()

    async def twice(second: dict[str, Any], wait: bool) -> Any:
        start = start_execution(runs)
        await start.request(NAMED, task())
        if wait:
            await start.drain()
        return await start.request(second, task())

    assert asyncio.run(twice(NAMED, wait=False))["ExecutionArn"] == EXECUTION
    assert len(runs.started) == 1
    for second, wait in (({**NAMED, "Input": {"a": 1}}, False), (NAMED, True)):
        assert refusal(twice(second, wait)) == (
            "StepFunctions.ExecutionAlreadyExistsException",
            f"Execution Already Exists: '{EXECUTION}' (Service: AWSStepFunctions; Status Code: 400; "
            "Error Code: ExecutionAlreadyExists; Request ID: UUID; Proxy: null)",
        )


def test_drain_raises_the_exception_of_an_execution(task: Make) -> None:
    async def breaks(machine: str, name: str, value: Any) -> ExecutionResult:
        raise RuntimeError("a bug")

    async def start_and_drain() -> None:
        start = StartExecution(["child"], breaks)
        await start.request(NAMED, task())
        await start.drain()

    with pytest.raises(RuntimeError, match="a bug"):
        asyncio.run(start_and_drain())
