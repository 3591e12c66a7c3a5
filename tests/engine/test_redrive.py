"""Redrive: work that did not succeed is done again, in the same execution and the same Map Runs.

Rules: developer guide, "Restarting state machine executions with redrive" (behaviour of states, retries) and "Redriving
Map Runs" (children, new Map Runs). Events, context, counts, rows and files: recorded in radkawar/stackd
testdata/aws/stepfunctions/redrive_execution.json (01-sequence) and redrive_map.json (attempt2:standard).
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.language.timestamps import format_timestamp as timestamp
from genomics_pipeline.model.errors import RunError
from tests.engine.conftest import EngineHarness
from tests.engine.history_events import event_lines
from tests.engine.redrive_service import CONTEXT, START, Service, run, task

WAIT = {"Type": "Wait", "Seconds": 1, "Next": "bad"}


def test_a_redrive_continues_from_the_state_that_failed(harness: EngineHarness, tmp_path: Path) -> None:
    harness.history = tmp_path / "history.jsonl"
    service = Service("work")
    retry = [{"ErrorEquals": ["Bad"], "IntervalSeconds": 1, "MaxAttempts": 1, "BackoffRate": 1}]
    states = {
        "Before": task("before", Output="{% $uuid() %}", Next="Passed"),
        "Passed": {"Type": "Pass", "Output": {"id": "{% $uuid() %}"}, "Next": "Work"},
        "Work": {**task("work"), "Retry": retry, "Output": CONTEXT, "Next": "Finish"},
        "Finish": {"Type": "Pass", "End": True},
    }
    failed = run(harness, service, states)
    assert (failed.status, failed.error, failed.cause) == ("FAILED", "Bad", "work is broken")
    assert service.repair() == ["before", "work", "work"]
    harness.clock.time += 99
    again = run(harness, service, states, redrive=True)
    assert (again.status, service.ran) == ("SUCCEEDED", ["work"])
    lines = event_lines(harness.history)
    assert again.output == {
        "execution": {
            "StartTime": timestamp(START),
            "RedriveCount": 1,
            "RedriveTime": timestamp(START + 100),
        },
        "state": {"Name": "Work", "EnteredTime": timestamp(START), "RetryCount": 0},
        "input": json.loads(json.loads(lines[7].split(" ", 3)[3])["output"]),  # a Pass is not evaluated again
    }
    assert [" ".join(line.split()[:3]) for line in lines[6:]] == [
        "7 6 PassStateEntered",
        "8 7 PassStateExited",
        "9 8 TaskStateEntered",
        "10 9 LambdaFunctionScheduled",
        "11 10 LambdaFunctionStarted",
        "12 11 LambdaFunctionFailed",
        "13 12 LambdaFunctionScheduled",
        "14 13 LambdaFunctionStarted",
        "15 14 LambdaFunctionFailed",
        "16 15 ExecutionFailed",
        "17 16 ExecutionRedriven",
        "18 9 LambdaFunctionScheduled",
        "19 18 LambdaFunctionStarted",
        "20 19 LambdaFunctionSucceeded",
        "21 20 TaskStateExited",
        "22 21 PassStateEntered",
        "23 22 PassStateExited",
        "24 23 ExecutionSucceeded",
    ]
    assert lines[16] == '17 16 ExecutionRedriven {"redriveCount":1}'


def test_a_redrive_resets_the_retries(harness: EngineHarness) -> None:
    service = Service("work")
    states = {"Work": task("work", Retry=[{"ErrorEquals": ["Bad"], "MaxAttempts": 2}], End=True)}
    run(harness, service, states)
    run(harness, service, states, redrive=True)
    assert service.ran == ["work"] * 6
    assert run(harness, service, states).status == "FAILED"  # without a redrive it stays ended
    service.repair()
    again = run(harness, service, states, redrive=True)
    assert (again.status, service.ran) == ("SUCCEEDED", ["work"])
    assert again.transitions == 1 + 2 + 1 + 2 + 1  # the entry of the state, retries, and one for each redrive


def test_an_execution_that_succeeded_cannot_be_redriven(harness: EngineHarness) -> None:
    states = {"Work": task("work", End=True)}
    run(harness, Service(), states)
    with pytest.raises(RunError) as raised:
        run(harness, Service(), states, redrive=True)
    assert str(raised.value) == (f"{harness.journal}/execution.jsonl: Execution is SUCCEEDED and cannot be redriven")


def test_an_execution_that_has_not_ended_is_resumed(harness: EngineHarness) -> None:
    states = {"One": task("one", Next="Two"), "Two": task("two", Output=CONTEXT, End=True)}
    run(harness, Service(), states)
    log = harness.journal / "execution.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))  # killed before its end was durable
    service = Service()
    result = run(harness, service, states, redrive=True)
    assert (service.ran, result.output["execution"]) == (
        ["two"],
        {"StartTime": timestamp(START), "RedriveCount": 0},
    )


def test_a_fail_state_is_entered_again(harness: EngineHarness) -> None:
    # developer guide: "Reenters the Fail state and fails again."
    service = Service("work")
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Decide"}]
    states = {
        "Work": task("work", Catch=catch, End=True),
        "Decide": {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "Work"}], "Default": "Failed"},
        "Failed": {"Type": "Fail", "Error": "Ours", "Cause": "as declared"},
    }
    run(harness, service, states)
    assert service.repair() == ["work"]
    again = run(harness, service, states, redrive=True)
    assert (again.status, again.error, again.cause, service.ran) == ("FAILED", "Ours", "as declared", [])


def test_a_redrive_resets_the_timeout_of_the_execution(harness: EngineHarness) -> None:
    # developer guide: "the state machine level timeout, if defined, is reset to 0"
    harness.fast_forward = True
    ran: list[float] = []

    async def slow(arguments: Any, context: Any) -> Any:
        await asyncio.sleep(2)
        ran.append(arguments)
        return arguments

    states = {"A": {**task(1, Next="B"), "Resource": "slow"}, "B": {**task(2, End=True), "Resource": "slow"}}
    first = harness.run(states, tasks={"slow": slow}, TimeoutSeconds=3)
    assert (first.status, ran) == ("TIMED_OUT", [1])
    assert harness.run(states, tasks={"slow": slow}, TimeoutSeconds=3, redrive=True).status == "SUCCEEDED"
    assert ran == [1, 2]


def test_only_failed_branches_of_a_parallel_run_again(harness: EngineHarness) -> None:
    service = Service("bad")

    def branch(name: str) -> dict[str, Any]:
        return {"StartAt": name, "States": {name: task(name, End=True)}}

    retry = [{"ErrorEquals": ["Bad"], "MaxAttempts": 1}]
    branches = [branch("good"), {"StartAt": "Later", "States": {"Later": WAIT, **branch("bad")["States"]}}]
    states = {"Both": {"Type": "Parallel", "Branches": branches, "Retry": retry, "End": True}}
    run(harness, service, states)
    assert sorted(service.repair()) == ["bad", "bad", "good", "good"]
    again = run(harness, service, states, redrive=True)
    assert (again.output, service.ran) == (["good", "bad"], ["bad"])
