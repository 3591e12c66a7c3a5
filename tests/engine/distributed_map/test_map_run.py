"""Map Runs: order, concurrency, tolerated failures, and the context that children see."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from genomics_pipeline.engine.distributed_map import map_run
from genomics_pipeline.engine.distributed_map.tolerated_failure import ToleratedFailure as Tolerance
from genomics_pipeline.engine.events import ChildEnded, ChildStarted, MapRunEnded, MapRunStarted
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import quotas

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
WRITER = {
    "Resource": "arn:aws:states:::s3:putObject",
    "WriterConfig": {"Transformation": "NONE", "OutputType": "JSONL"},
    "Arguments": {"Bucket": "b", "Prefix": "out/"},
}


def over(items: Any, task: str = "echo", **fields: Any) -> dict[str, Any]:
    """Return a Distributed Map state whose children consist of one Task."""
    return {
        "Type": "Map",
        "Label": "Each",
        "Items": items,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "T",
            "States": {"T": {"Type": "Task", "Resource": task, "End": True}},
        },
        "End": True,
        **fields,
    }


def failing(*names: Any) -> Any:
    async def task(arguments: Any, context: Any) -> Any:
        if arguments in names:
            raise StatesError("Bad", f"because of {arguments}")
        return arguments

    return task


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
    manifest = json.loads(harness.store.objects[harness.store.named("manifest.json")])
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


@pytest.mark.parametrize(
    ("fields", "failed", "status"),
    [
        ({}, 0, "SUCCEEDED"),
        ({}, 1, "FAILED"),
        ({"ToleratedFailureCount": 2}, 2, "SUCCEEDED"),
        ({"ToleratedFailureCount": 2}, 3, "FAILED"),
        ({"ToleratedFailureCount": 0}, 1, "FAILED"),
        ({"ToleratedFailurePercentage": 25}, 2, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 25}, 3, "FAILED"),
        ({"ToleratedFailurePercentage": 12.5}, 1, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 12.4}, 1, "FAILED"),
        ({"ToleratedFailurePercentage": 100}, 8, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 0}, 1, "FAILED"),
        ({"ToleratedFailurePercentage": 50, "ToleratedFailureCount": 1}, 2, "FAILED"),
        ({"ToleratedFailurePercentage": 0, "ToleratedFailureCount": 5}, 1, "FAILED"),
        ({"ToleratedFailurePercentage": "{% 25 %}"}, 2, "SUCCEEDED"),
    ],
)
def test_tolerated_failures_decide_on_the_status(
    harness: Any, fields: dict[str, Any], failed: int, status: str
) -> None:
    state = over(list(range(8)), "some", MaxConcurrency=1, **fields)
    result = harness.run({"M": state}, tasks={"some": failing(*range(failed))})
    assert result.status == status
    if status == "SUCCEEDED":
        assert result.output == list(range(failed, 8))
    else:
        assert result.error == "States.ExceedToleratedFailureThreshold"
        assert result.cause == "The specified tolerated failure threshold was exceeded"


def test_a_percentage_refers_to_all_items() -> None:
    assert not Tolerance(None, 50).is_exceeded(4, 8)
    assert Tolerance(None, 50).is_exceeded(5, 8)


def test_after_too_many_failures_running_children_are_aborted_and_the_rest_stays_pending(harness: Any) -> None:
    async def mixed(arguments: Any, context: Any) -> Any:
        if arguments == 2:
            await asyncio.sleep(0.01)
            raise StatesError("Bad", "two")
        if arguments == 1:
            await asyncio.Event().wait()
        return arguments

    catch = [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "E"}]
    state = over([0, 1, 2, 3, 4], "mixed", MaxConcurrency=2, ResultWriter=WRITER, Catch=catch)
    # 0 succeeds, 1 waits forever, 2 fails while 1 is running; 3 and 4 never start.
    result = harness.run({"M": state, "E": {"Type": "Succeed"}}, tasks={"mixed": mixed})
    assert result.status == "SUCCEEDED"
    rows = {
        kind: harness.store.lines(harness.store.named(f"{kind}_0.jsonl")) for kind in ("SUCCEEDED", "FAILED", "PENDING")
    }
    assert [(row["Input"], row["Status"]) for row in rows["SUCCEEDED"]] == [("0", "SUCCEEDED")]
    assert [(row["Input"], row["Status"], row.get("Error")) for row in rows["FAILED"]] == [
        ("1", "ABORTED", None),
        ("2", "FAILED", "Bad"),
    ]
    assert rows["PENDING"] == [
        {"Input": text, "InputDetails": {"Included": True}, "Status": "PENDING"} for text in ("3", "4")
    ]
    (run,) = result.map_runs
    assert run["status"] == "FAILED"
    counts = {"pending": 2, "running": 0, "succeeded": 1, "failed": 1, "timedOut": 0, "aborted": 1, "total": 5}
    counts |= {"resultsWritten": 5, "failuresNotRedrivable": 0, "pendingRedrive": 0}
    assert run["itemCounts"] == counts
    assert run["executionCounts"] == counts


@pytest.mark.parametrize("gap", range(12))
def test_a_child_that_ends_during_the_abort_is_in_exactly_one_file(harness: Any, gap: int) -> None:
    """Let a failure cancel children at various times, also while the record of a child's end is being written."""

    async def racing(arguments: Any, context: Any) -> Any:
        if arguments == 0:
            raise StatesError("Bad", "")
        for _ in range(gap):
            await asyncio.sleep(0)
        return arguments

    state = over(list(range(30)), "racing", ResultWriter=WRITER)
    result = harness.run({"M": state}, tasks={"racing": racing})
    assert result.error == "States.ExceedToleratedFailureThreshold"
    manifest = json.loads(harness.store.objects[harness.store.named("manifest.json")])
    inputs = [
        json.loads(row["Input"])
        for kind, files in manifest["ResultFiles"].items()
        for file in files
        for row in harness.store.lines(f"s3://b/{file['Key']}")
    ]
    assert sorted(inputs) == list(range(30))
    (run,) = result.map_runs
    parts = ("pending", "running", "succeeded", "failed", "timedOut", "aborted")
    assert run["itemCounts"]["total"] == sum(run["itemCounts"][part] for part in parts) == 30
    assert len(harness.seen(ChildEnded)) == 30 - run["itemCounts"]["pending"]


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


def test_children_without_effects_before_an_input_that_cannot_be_evaluated_are_counted(
    harness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_run, "_SEQUENTIAL_BATCH", 1)
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
