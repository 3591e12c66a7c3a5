"""Map Runs: order, concurrency, retries, and the context that children see."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from genomics_pipeline.engine.events import ChildEnded, ChildStarted, MapRunEnded, MapRunStarted
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import quotas
from tests.engine.distributed_map.map_states import WRITER, over


def test_without_a_result_writer_the_result_is_the_outputs_in_order(harness: Any) -> None:
    order = []

    async def later(arguments: Any, context: Any) -> Any:
        for _ in range(10 - arguments):
            await asyncio.sleep(0)
        order.append(arguments)
        return arguments * 10

    assert harness.run({"M": over([1, 5, 9], "later")}, tasks={"later": later}).output == [10, 50, 90]
    assert order == [9, 5, 1]


def test_an_empty_map_succeeds(harness: Any) -> None:
    result = harness.run({"M": over([], ResultWriter=WRITER)})
    assert result.status == "SUCCEEDED"
    manifest = json.loads(harness.store.objects[harness.store.uri_of("manifest.json")])
    assert manifest["ResultFiles"] == {"FAILED": [], "PENDING": [], "SUCCEEDED": []}


@pytest.mark.parametrize(("limit", "expected"), [(1, 1), (3, 3), (0, 7), ("{% 2 %}", 2), (99, 7)])
def test_max_concurrency_limits_concurrent_children(harness: Any, limit: Any, expected: int) -> None:
    running, most = 0, 0
    full = asyncio.Event()

    async def busy(arguments: Any, context: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == expected:
            full.set()  # no child ends before the limit is reached
        await full.wait()
        for _ in range(3):
            await asyncio.sleep(0)
        running -= 1
        return arguments

    result = harness.run({"M": over(list(range(7)), "busy", MaxConcurrency=limit)}, tasks={"busy": busy})
    assert result.output == list(range(7))
    assert most == expected


def test_concurrent_children_never_exceed_awss_limit(harness: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "MAP_RUN_CONCURRENCY", replace(quotas.MAP_RUN_CONCURRENCY, value=2))
    test_max_concurrency_limits_concurrent_children(harness, 5, 2)


def test_item_selector_sees_the_context_and_children_see_only_their_input(harness: Any) -> None:
    harness.store.objects["s3://b/items.jsonl"] = b'{"id":"a"}\n{"id":"b"}\n'
    state = over(
        None,
        ItemReader={
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL"},
            "Arguments": {"Bucket": "{% $states.input.bucket %}", "Key": "{% $file %}"},
        },
        ItemSelector={
            "map": "{% $states.context.Map.Item %}",
            "run": "{% $states.context.Execution.Name %}",
            "n": "{% $n %}",
            "of": "{% $states.input.bucket %}",
        },
    )
    del state["Items"]
    state["ItemProcessor"]["States"] = {
        "T": {
            "Type": "Pass",
            "Output": {
                "in": "{% $states.input %}",
                "n": "{% $exists($n) %}",
                "map": "{% $exists($states.context.Map) %}",
                "machine": "{% $states.context.StateMachine.Name %}",
                "execution": "{% $states.context.Execution.Input = $states.input %}",
            },
            "End": True,
        }
    }
    first = {"V": {"Type": "Pass", "Assign": {"n": 5, "file": "items.jsonl"}, "Next": "M"}}
    result = harness.run({**first, "M": state}, {"bucket": "b"})
    assert result.output == [
        {
            "in": {
                "map": {"Index": index, "Value": {"id": name}, "Source": "s3://b/items.jsonl"},
                "run": "run-1",
                "n": 5,
                "of": "b",
            },
            "n": False,
            "map": False,
            "machine": "machine",
            "execution": True,
        }
        for index, name in enumerate("ab")
    ]


def test_a_child_that_uses_an_outer_variable_fails(harness: Any) -> None:
    state = over([1])
    state["ItemProcessor"]["States"] = {"T": {"Type": "Pass", "Output": "{% $n %}", "End": True}}
    result = harness.run({"V": {"Type": "Pass", "Assign": {"n": 5}, "Next": "M"}, "M": state})
    assert result.error == "States.ExceedToleratedFailureThreshold"
    (ended,) = harness.seen(ChildEnded)
    assert (ended.error, ended.cause) == (
        "States.QueryEvaluationError",
        "An error occurred while executing the state 'T' (entered at the event id #2). "
        "The JSONata expression '$n' specified for the field 'Output' returned nothing (undefined).",
    )


def test_assign_and_output_see_the_result(harness: Any) -> None:
    state = over(
        [1],
        ResultWriter=WRITER,
        Assign={"details": "{% $states.result.ResultWriterDetails %}"},
        Output="{% $states.result.MapRunArn %}",
        Next="E",
    )
    del state["End"]
    end = {"Type": "Pass", "Output": {"details": "{% $details %}", "arn": "{% $states.input %}"}, "End": True}
    result = harness.run({"M": state, "E": end})
    arn = result.output["arn"]
    prefix, uuid = arn.rsplit(":", 1)
    assert prefix == "arn:aws:states:us-east-1:000000000000:mapRun:machine/Each"
    assert result.output["details"] == {"Bucket": "b", "Key": f"out/{uuid}/manifest.json"}
    assert result.map_runs[0]["resultWriterDetails"] == result.output["details"]


def test_events_and_transitions_are_counted(harness: Any) -> None:
    result = harness.run({"M": over(["a", "b"], MaxConcurrency=1)})
    (started,), (ended,) = harness.seen(MapRunStarted), harness.seen(MapRunEnded)
    assert (started.label, started.items, started.resumed) == ("Each", 2, 0)
    assert (ended.arn, ended.status, ended.items, ended.failed) == (started.arn, "SUCCEEDED", 2, 0)
    assert [(event.index, event.input) for event in harness.seen(ChildStarted)] == [(0, "a"), (1, "b")]
    assert [(event.index, event.status, event.items) for event in harness.seen(ChildEnded)] == [
        (0, "SUCCEEDED", 1),
        (1, "SUCCEEDED", 1),
    ]
    assert result.map_runs[0]["transitions"] == 4  # the start of two children, and a state in each
    assert result.transitions == 5


SELECTED = {"id": "{% $states.context.Map.Item.Value.id %}"}
NO_ID = [{"id": 0}, {"id": 1}, {}, {"id": 3}]


@pytest.mark.parametrize(("kind", "ended"), [("STANDARD", {"aborted": 1}), ("EXPRESS", {"succeeded": 1})])
def test_an_input_that_cannot_be_evaluated_fails_the_map_run(harness: Any, kind: str, ended: dict[str, int]) -> None:
    """Check that running Standard children are aborted, as after too many failures, and Express ones go on."""
    released = asyncio.Event()

    async def wait(arguments: Any, context: Any) -> Any:
        if arguments["id"] == 0:
            await asyncio.wait_for(released.wait(), None)
        elif kind == "EXPRESS":
            released.set()
        return arguments

    state = over(NO_ID, "wait", MaxConcurrency=2, ItemSelector=SELECTED)
    state["ItemProcessor"]["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    result = harness.run({"M": state}, tasks={"wait": wait})
    assert (result.status, result.error) == ("FAILED", "States.QueryEvaluationError")
    (run,) = result.map_runs
    counts = {name: run["itemCounts"][name] for name in ("succeeded", "aborted", "pending", "total")}
    common = {"succeeded": 1, "aborted": 0, "pending": 2, "total": 4}
    assert counts == common | {name: common[name] + number for name, number in ended.items()}
    assert run["status"] == "FAILED"


def test_children_without_effects_before_an_input_that_cannot_be_evaluated_are_counted(harness: Any) -> None:
    state = over(NO_ID, ItemSelector=SELECTED)
    state["ItemProcessor"]["States"] = {"T": {"Type": "Pass", "End": True}}
    (run,) = harness.run({"M": state}).map_runs
    assert (run["status"], run["itemCounts"]["succeeded"], run["itemCounts"]["pending"]) == ("FAILED", 2, 2)


def test_a_retry_of_the_state_starts_a_new_map_run_over_all_items(harness: Any) -> None:
    calls = []

    async def once(arguments: Any, context: Any) -> Any:
        calls.append(arguments)
        if calls.count(1) == 1 and arguments == 1:
            raise StatesError("Bad", "")
        return arguments

    state = over([0, 1], "once", MaxConcurrency=1, Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}])
    result = harness.run({"M": state}, tasks={"once": once})
    assert result.output == [0, 1]
    assert calls == [0, 1, 0, 1]
    assert [run["status"] for run in result.map_runs] == ["FAILED", "SUCCEEDED"]
    assert len({run["mapRunArn"] for run in result.map_runs}) == 2


def test_distributed_maps_can_be_nested(harness: Any) -> None:
    inner = over("{% $states.input %}", Label="Inner", ResultWriter=WRITER)
    outer = over([[1, 2], [3]])
    outer["ItemProcessor"] |= {"StartAt": "Within", "States": {"Within": inner}}
    result = harness.run({"M": outer})
    assert [run["label"] for run in result.map_runs] == ["Inner", "Inner", "Each"]
    assert [run["itemCounts"]["succeeded"] for run in result.map_runs] in ([2, 1, 2], [1, 2, 2])
    assert {run["mapRunArn"].rsplit(":", 1)[0] for run in result.map_runs[:2]} == {
        "arn:aws:states:us-east-1:000000000000:mapRun:machine/Inner"
    }
