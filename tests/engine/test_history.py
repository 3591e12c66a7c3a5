"""The history: events with the order, the chain and the details that were recorded on AWS.

`histories/*.json` are documents with the events of their executions. Each names the recording on AWS that it follows,
whose names and payloads may be shortened. An event is one line: id, previousEventId, type, and the details without the
members that say that a payload is not truncated.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.engine.events import ChildEnded
from genomics_pipeline.engine.history import History
from genomics_pipeline.language.errors import RUNTIME, TIMEOUT, StatesError
from genomics_pipeline.model import quotas
from tests.engine.history_events import event_lines

CASES = sorted((Path(__file__).parent / "histories").glob("*.json"))
LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:"
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:work"


def tasks() -> dict[str, Any]:
    """Return handlers of functions, activities and integrations, by resource."""

    async def function(behaviour: str, arguments: Any) -> Any:
        if behaviour == "fails":
            raise StatesError("Exception", "Some exception was raised.")
        if behaviour == "times-out":
            raise StatesError(TIMEOUT, None)
        if behaviour == "waits":
            await asyncio.Event().wait()
        return "é" * 131_072 if behaviour == "large" else arguments

    def handler(behaviour: str) -> Any:
        async def call(arguments: Any, context: Any) -> Any:
            return await function(behaviour, arguments)

        return call

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
        **{LAMBDA + name: handler(name) for name in ("fails", "times-out", "large", "echo")},
        "arn:aws:states:::lambda:invoke": invoke,
        "arn:aws:states:::batch:submitJob.sync": sync,
        ACTIVITY: activity,
    }


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_events_are_those_recorded_on_aws(harness: Any, tmp_path: Path, path: Path) -> None:
    case = json.loads(path.read_text())
    harness.history = tmp_path / "history.jsonl"
    for uri, lines in case.get("objects", {}).items():
        harness.store.objects[uri] = "\n".join(lines).encode()
    result = harness.run(case["states"], case["input"], tasks=tasks(), **case.get("top", {}))
    events = [line.replace(arn, "MAP_RUN") for line in event_lines(harness.history) for arn in [map_run(result)]]
    assert events == case["events"]


def map_run(result: Any) -> str:
    """Return the ARN of the only Map Run; without one, a text that occurs in no event."""
    return str(result.map_runs[0]["mapRunArn"]) if result.map_runs else "\0"


PASS = {"Type": "Pass", "End": True}


def test_a_timeout_of_the_execution_is_its_last_event(harness: Any, tmp_path: Path) -> None:
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
    assert event_lines(harness.history)[-2:] == [
        "4 3 ActivityStarted",
        '5 0 ExecutionTimedOut {"error":"States.Timeout"}',
    ]


def test_a_history_that_reaches_its_limit_ends_the_execution(harness: Any, tmp_path: Path) -> None:
    # developer guide, "Avoid reaching the history quota"; the cause: cloudonaut.io, "Step Functions pitfall"
    harness.history = tmp_path / "history.jsonl"
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "C"}]
    loop = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}}
    result = harness.run({"P": {"Type": "Parallel", "Branches": [loop], "Catch": catch, "End": True}, "C": PASS})
    cause = "The execution reached the maximum number of history events (25000)."
    assert (result.status, result.error, result.cause) == ("FAILED", "States.Runtime", cause)
    last = harness.history.read_bytes().splitlines()[-1]
    assert (json.loads(last)["id"], json.loads(last)["type"]) == (25_000, "ExecutionFailed")


def test_the_last_event_is_reserved_for_the_end_of_the_execution(harness: Any) -> None:
    history = History(harness.clock, last=quotas.HISTORY.value - 2)
    assert history.add("PassStateExited", 0) == 24_999
    with pytest.raises(StatesError) as raised:
        history.add("PassStateEntered", 24_999)
    assert (raised.value.error, raised.value.evaluation_failed) == (RUNTIME, False)
    assert history.add("ExecutionSucceeded", 24_999) == 25_000


@pytest.mark.parametrize(("kind", "status"), [("STANDARD", "FAILED"), ("EXPRESS", "SUCCEEDED")])
def test_the_limit_applies_to_standard_executions_only(harness: Any, kind: str, status: str) -> None:
    # developer guide, "Quotas related to state machine executions"
    states: dict[str, Any] = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(12_500)}
    config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    processor = {"ProcessorConfig": config, "StartAt": "S0", "States": {**states, "S12500": PASS}}
    assert harness.run({"M": {"Type": "Map", "Items": [1], "ItemProcessor": processor, "End": True}}).status == status
    (ended,) = harness.seen(ChildEnded)
    assert (ended.status, ended.error) == (status, RUNTIME if status == "FAILED" else None)


def test_a_resumed_execution_continues_its_history_file(harness: Any, tmp_path: Path) -> None:
    harness.history = tmp_path / "history.jsonl"
    states = {"A": {"Type": "Task", "Resource": "echo", "Next": "B"}, "B": PASS}
    harness.run(states, 7)
    log = harness.journal / "execution.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))  # killed before its end was durable
    before = harness.history.read_bytes()
    harness.history.write_bytes(before[:-5])  # in the middle of the last event
    assert harness.run(states, 7).output == 7
    assert event_lines(harness.history)[-4:] == [
        '8 7 PassStateExited {"name":"B","output":"7"}',
        '9 8 PassStateEntered {"input":"7","name":"B"}',
        '10 9 PassStateExited {"name":"B","output":"7"}',
        '11 10 ExecutionSucceeded {"output":"7"}',
    ]
