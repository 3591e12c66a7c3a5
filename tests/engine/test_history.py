"""The history: events in the order, with the chain and the details that AWS was recorded with.

`histories/*.json` are documents with the events that running them writes. Each names the recording of AWS that it
follows, whose names and payloads it may shorten. An event is one line: id, previousEventId, type, and the details
without what says that a payload is whole.
"""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path
from typing import Any

import botocore.loaders
import pytest

from genomics_pipeline.engine.events import ChildEnded
from genomics_pipeline.engine.history import History
from genomics_pipeline.language.errors import RUNTIME, TIMEOUT, StatesError
from genomics_pipeline.model import quotas

CASES = sorted((Path(__file__).parent / "histories").glob("*.json"))
WHOLE = {"truncated": False}
LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:"
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:work"
KINDS = {"string": str, "boolean": bool, "integer": int, "long": int, "structure": dict, "map": dict}


@cache
def shapes() -> dict[str, Any]:
    """Shapes of AWS's own model of the service."""
    found: dict[str, Any] = botocore.loaders.Loader().load_service_model("stepfunctions", "service-2")["shapes"]
    return found


def check(value: Any, shape: str) -> None:
    """Fail where a value is not of a shape."""
    model = shapes()[shape]
    if shape == "Timestamp":  # a number on the wire; here as AWS writes times into payloads
        assert isinstance(value, str)
        return
    kind: type[Any] = KINDS[model["type"]]
    assert isinstance(value, kind), (value, shape)
    assert value in model.get("enum", [value])
    if model["type"] == "structure":
        assert set(model.get("required", ())) <= set(value) <= set(model["members"])
        for name, member in value.items():
            check(member, model["members"][name]["shape"])
    elif model["type"] == "map":
        for name, member in value.items():
            check(name, model["key"]["shape"])
            check(member, model["value"]["shape"])


def told(path: Path) -> list[str]:
    """The events of a file, a line each; every one is checked against AWS's model."""
    lines = []
    for raw in path.read_bytes().splitlines():
        event = json.loads(raw)
        check(event, "HistoryEvent")
        assert json.dumps(event, sort_keys=True) == json.dumps(event)  # members in AWS's order
        words = [str(event["id"]), str(event["previousEventId"]), event["type"]]
        for name, details in event.items():
            if name.endswith("EventDetails"):
                assert event["type"].lower().endswith(name.removesuffix("EventDetails").lower())
                for payload in ("input", "output", "assignedVariables"):
                    assert details.pop(f"{payload}Details", None) == (WHOLE if payload in details else None)
                words.append(json.dumps(details, ensure_ascii=False, separators=(",", ":")))
        lines.append(" ".join(words))
    return lines


def tasks() -> dict[str, Any]:
    """Functions and activities, by what they are asked to do."""

    async def function(does: str, arguments: Any) -> Any:
        if does == "fails":
            raise StatesError("Exception", "Some exception was raised.")
        if does == "times-out":
            raise StatesError(TIMEOUT, None)
        if does == "waits":
            await asyncio.Event().wait()
        return "é" * 131_072 if does == "large" else arguments

    def named(does: str) -> Any:
        async def called(arguments: Any, context: Any) -> Any:
            return await function(does, arguments)

        return called

    async def invoke(arguments: Any, context: Any) -> Any:
        return {"Payload": await function(arguments["FunctionName"], arguments["Payload"])}

    async def sync(arguments: Any, context: Any) -> Any:
        context.submitted({"JobId": "1"})
        return {"JobId": "1", "Status": "SUCCEEDED"}

    async def activity(arguments: Any, context: Any) -> Any:
        if arguments == "fails":
            raise StatesError("Probe.Branch", "cancel sibling activity")
        await asyncio.Event().wait()

    return {
        **{LAMBDA + name: named(name) for name in ("fails", "times-out", "large", "echo")},
        "arn:aws:states:::lambda:invoke": invoke,
        "arn:aws:states:::batch:submitJob.sync": sync,
        ACTIVITY: activity,
    }


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_recorded(harness: Any, tmp_path: Path, path: Path) -> None:
    case = json.loads(path.read_text())
    harness.history = tmp_path / "history.jsonl"
    for uri, lines in case.get("objects", {}).items():
        harness.store.objects[uri] = "\n".join(lines).encode()
    result = harness.run(case["states"], case["input"], tasks=tasks(), **case.get("top", {}))
    events = [line.replace(arn, "MAP_RUN") for line in told(harness.history) for arn in [map_run(result)]]
    assert events == case["events"]


def map_run(result: Any) -> str:
    """The ARN of the one Map Run there was; what is nowhere, where there was none."""
    return str(result.map_runs[0]["mapRunArn"]) if result.map_runs else "\0"


PASS = {"Type": "Pass", "End": True}


def test_the_time_of_the_execution_is_over(harness: Any, tmp_path: Path) -> None:
    # radkawar/stackd testdata/aws/stepfunctions/callback_lifecycle.json, 15-execution-deadline
    harness.history = tmp_path / "history.jsonl"
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "WouldCatch"}]
    states = {
        "Deadline": {"Type": "Task", "Resource": ACTIVITY, "Arguments": "waits", "Catch": catch, "End": True},
        "WouldCatch": PASS,
    }
    harness.fast_forward = True
    result = harness.run(states, tasks=tasks(), TimeoutSeconds=3)
    assert (result.status, result.error, result.cause) == ("TIMED_OUT", "States.Timeout", None)
    assert told(harness.history)[-2:] == ["4 3 ActivityStarted", '5 0 ExecutionTimedOut {"error":"States.Timeout"}']


def test_a_history_that_grows_too_long_ends_the_execution(harness: Any, tmp_path: Path) -> None:
    # developer guide, "Avoid reaching the history quota"; the cause: cloudonaut.io, "Step Functions pitfall"
    harness.history = tmp_path / "history.jsonl"
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "C"}]
    loop = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}}
    result = harness.run({"P": {"Type": "Parallel", "Branches": [loop], "Catch": catch, "End": True}, "C": PASS})
    cause = "The execution reached the maximum number of history events (25000)."
    assert (result.status, result.error, result.cause) == ("FAILED", "States.Runtime", cause)
    last = harness.history.read_bytes().splitlines()[-1]
    assert (json.loads(last)["id"], json.loads(last)["type"]) == (25_000, "ExecutionFailed")


def test_the_last_event_that_is_allowed_ends_the_execution(harness: Any) -> None:
    history = History(harness.clock, last=quotas.HISTORY.value - 2)
    assert history.add("PassStateExited", 0) == 24_999
    with pytest.raises(StatesError) as raised:
        history.add("PassStateEntered", 24_999)
    assert (raised.value.error, raised.value.evaluation_failed) == (RUNTIME, False)
    assert history.add("ExecutionSucceeded", 24_999) == 25_000


@pytest.mark.parametrize(("kind", "status"), [("STANDARD", "FAILED"), ("EXPRESS", "SUCCEEDED")])
def test_the_limit_is_that_of_standard_executions(harness: Any, kind: str, status: str) -> None:
    # developer guide, "Quotas related to state machine executions"
    states: dict[str, Any] = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(12_500)}
    config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    processor = {"ProcessorConfig": config, "StartAt": "S0", "States": {**states, "S12500": PASS}}
    assert harness.run({"M": {"Type": "Map", "Items": [1], "ItemProcessor": processor, "End": True}}).status == status
    (ended,) = harness.seen(ChildEnded)
    assert (ended.status, ended.error) == (status, RUNTIME if status == "FAILED" else None)


def test_a_resumed_execution_goes_on_in_the_same_file(harness: Any, tmp_path: Path) -> None:
    harness.history = tmp_path / "history.jsonl"
    states = {"A": {"Type": "Task", "Resource": "echo", "Next": "B"}, "B": PASS}
    harness.run(states, 7)
    log = harness.journal / "execution.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))  # killed before its end was durable
    before = harness.history.read_bytes()
    harness.history.write_bytes(before[:-5])  # in the middle of the last event
    assert harness.run(states, 7).output == 7
    assert told(harness.history)[-4:] == [
        '8 7 PassStateExited {"name":"B","output":"7"}',
        '9 8 PassStateEntered {"input":"7","name":"B"}',
        '10 9 PassStateExited {"name":"B","output":"7"}',
        '11 10 ExecutionSucceeded {"output":"7"}',
    ]
