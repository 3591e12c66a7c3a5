"""Redrives of Map Runs: children run again, and result files are written, in the same Map Run.

Rules: developer guide, "Redriving Map Runs" (children, new Map Runs). Events, context, counts, rows and files: recorded
in radkawar/stackd testdata/aws/stepfunctions/redrive_map.json (attempt2:standard).
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from genomics_pipeline.engine.events import ChildStarted
from genomics_pipeline.language.timestamps import format_timestamp as timestamp
from tests.engine.conftest import EngineHarness
from tests.engine.distributed_map.map_states import WRITER, over
from tests.engine.distributed_map.redriven_files import files, rows
from tests.engine.history_events import event_lines
from tests.engine.redrive_service import CONTEXT, START, Service, run, task

NONE = {"timedOut": 0, "failuresNotRedrivable": 0, "pendingRedrive": 0, "running": 0}


def fail_to_publish(*_: Any) -> None:
    raise OSError("no space left")


def two_state_map() -> dict[str, Any]:
    """Return states with a Map whose children have two Tasks each, and a Task after it."""
    state = over([0, 1, 2, 3, 4], "work", MaxConcurrency=2, ResultWriter=WRITER)
    second = {"Type": "Task", "Resource": "gated", "Arguments": "{% $states.input %}", "Output": CONTEXT, "End": True}
    state["ItemProcessor"] = {
        **state["ItemProcessor"],
        "StartAt": "First",
        "States": {
            "First": {**task("{% 'first ' & $states.input %}"), "Output": "{% $states.input %}", "Next": "T"},
            "T": second,
        },
    }
    del state["End"]
    return {"M": {**state, "Next": "After"}, "After": task("after", Output="{% $states.input %}", End=True)}


def test_a_map_run_continues_with_its_failed_aborted_and_pending_children(
    harness: EngineHarness, tmp_path: Path
) -> None:
    harness.history = tmp_path / "history.jsonl"
    service = Service(1)

    async def gated(arguments: Any, context: Any) -> Any:
        if 1 in service.broken and arguments == 2:
            await asyncio.Event().wait()  # it is running when too many have failed
        if 1 in service.broken and arguments == 1:
            while not [name for name in service.ran if name == "first 2"]:
                await asyncio.sleep(0)
            await asyncio.sleep(0)
        return await service.work(arguments, context)

    def execute(*, redrive: bool = False) -> Any:
        return harness.run(two_state_map(), {"x": 1}, tasks={"work": service.work, "gated": gated}, redrive=redrive)

    failed = execute()
    assert (failed.status, failed.error) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    (before,) = failed.map_runs
    counts = {**NONE, "pending": 2, "succeeded": 1, "failed": 1, "aborted": 1, "total": 5, "resultsWritten": 5}
    assert (before["itemCounts"], before["redriveCount"]) == (counts, 0)
    first = files(harness, "")
    service.repair()
    harness.clock.time += 60
    harness.events.clear()
    again = execute(redrive=True)
    assert again.status == "SUCCEEDED"
    assert sorted(map(str, service.ran)) == ["1", "2", "3", "4", "after", "first 3", "first 4"]
    names = {event.index: event.name for event in harness.seen(ChildStarted)}
    assert sorted(names) == [1, 2, 3, 4]
    (after,) = again.map_runs
    assert again.output["ResultWriterDetails"] == after["resultWriterDetails"]
    check_description(before, after)
    check_files(harness, first, after["mapRunArn"].rpartition(":")[2])
    check_events([line.replace(after["mapRunArn"], "MAP_RUN") for line in event_lines(harness.history)])


def check_description(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Check the description of the redriven Map Run against the one before the redrive."""
    uuid = after["mapRunArn"].rpartition(":")[2]
    counts = {**NONE, "pending": 0, "succeeded": 5, "failed": 0, "aborted": 0, "total": 5, "resultsWritten": 5}
    assert after == {
        **before,
        "status": "SUCCEEDED",
        "stopDate": timestamp(START + 60),
        "itemCounts": counts,
        "executionCounts": counts,
        "redriveCount": 1,
        "redriveDate": timestamp(START + 60),
        "transitions": 5 * 3 + 2,
        "resultWriterDetails": {"Bucket": "b", "Key": f"out/{uuid}/Redrive-1/manifest.json"},
    }


def check_files(harness: EngineHarness, first: dict[str, Any], uuid: str) -> None:
    """Check the manifest of the redrive and the rows that it added to the files of the first attempt."""
    start, redriven = timestamp(START), timestamp(START + 60)
    listed = files(harness, "Redrive-1/")
    assert listed == {
        "FAILED": [],
        "PENDING": [],
        "SUCCEEDED": [*first["SUCCEEDED"], {"Key": f"out/{uuid}/Redrive-1/SUCCEEDED_0.jsonl", "Size": ANY}],
    }
    kept, *new = rows(harness, listed, "SUCCEEDED")
    assert (kept["Input"], kept["RedriveCount"], "RedriveDate" in kept) == ("0", 0, False)
    assert [(row["Input"], row["RedriveCount"], row.get("RedriveDate"), row["StartDate"]) for row in new] == [
        ("1", 1, redriven, start),
        ("2", 1, redriven, start),
        ("3", 0, None, redriven),
        ("4", 0, None, redriven),
    ]
    context = [json.loads(row["Output"])["execution"] for row in new]
    assert context[0] == {"StartTime": start, "RedriveCount": 1, "RedriveTime": redriven}
    assert context[3] == {"StartTime": redriven, "RedriveCount": 0}
    assert list(new[0])[5:9] == ["OutputDetails", "RedriveCount", "RedriveDate", "RedriveStatus"]


def check_events(events: list[str]) -> None:
    """Check the history events of both attempts."""
    assert [" ".join(line.split()[:3]) for line in events][:7] == [
        "1 0 ExecutionStarted",
        "2 0 MapStateEntered",
        "3 2 MapStateStarted",
        "4 3 MapRunStarted",
        "5 4 MapRunFailed",
        "6 5 MapStateFailed",
        "7 6 ExecutionFailed",
    ]
    assert events[7:9] == [
        '8 7 ExecutionRedriven {"redriveCount":1}',
        '9 3 MapRunRedriven {"mapRunArn":"MAP_RUN","redriveCount":1}',
    ]
    assert [" ".join(line.split()[:3]) for line in events][9:12] == [
        "10 9 MapRunSucceeded",
        "11 10 MapStateSucceeded",
        "12 10 MapStateExited",
    ]


def test_a_redrive_writes_its_own_failures_and_keeps_earlier_successes(harness: EngineHarness) -> None:
    """Check the recorded files: FAILED and PENDING of the redrive alone, SUCCEEDED of all, even if empty."""
    service = Service(1, 2)
    states = {"M": over([0, 1, 2, 3], "work", MaxConcurrency=1, ResultWriter=WRITER)}
    run(harness, service, states)
    run(harness, service, states, redrive=True)
    uuid = files(harness, "")["SUCCEEDED"][0]["Key"].split("/")[1]
    listed = json.loads(harness.store.objects[f"s3://b/out/{uuid}/Redrive-1/manifest.json"])["ResultFiles"]
    assert [file["Key"] for kind in ("FAILED", "PENDING", "SUCCEEDED") for file in listed[kind]] == [
        f"out/{uuid}/Redrive-1/FAILED_0.jsonl",
        f"out/{uuid}/Redrive-1/PENDING_0.jsonl",
        f"out/{uuid}/SUCCEEDED_0.jsonl",
        f"out/{uuid}/Redrive-1/SUCCEEDED_0.jsonl",
    ]
    assert listed["SUCCEEDED"][1]["Size"] == 0
    assert [(row["Input"], row["RedriveCount"]) for row in rows(harness, listed, "FAILED")] == [("1", 1)]
    assert [row["Input"] for row in rows(harness, listed, "PENDING")] == ["2", "3"]
    service.broken = {3}
    third = run(harness, service, states, redrive=True)
    listed = json.loads(harness.store.objects[f"s3://b/out/{uuid}/Redrive-2/manifest.json"])["ResultFiles"]
    assert [row["Input"] for row in rows(harness, listed, "SUCCEEDED")] == ["0", "1", "2"]
    assert [(row["Input"], row["RedriveCount"]) for row in rows(harness, listed, "FAILED")] == [("3", 0)]
    assert (third.map_runs[0]["redriveCount"], third.status) == (2, "FAILED")
    service.repair()
    fourth = run(harness, service, states, redrive=True)
    assert (fourth.status, service.ran, fourth.map_runs[0]["redriveCount"]) == ("SUCCEEDED", [3], 3)


def test_a_redrive_without_successes_writes_an_empty_array(harness: EngineHarness) -> None:
    # recorded: Redrive-1/SUCCEEDED_0.json of two bytes
    writer = {**WRITER, "WriterConfig": {"Transformation": "NONE", "OutputType": "JSON"}}
    service = Service(1)
    states = {"M": over([0, 1], "work", MaxConcurrency=1, ResultWriter=writer)}
    run(harness, service, states)
    run(harness, service, states, redrive=True)
    (uri,) = (uri for uri in harness.store.objects if uri.endswith("Redrive-1/SUCCEEDED_0.json"))
    assert harness.store.objects[uri] == b"[]"


def test_children_that_do_not_get_to_run_again_keep_their_earlier_ends(harness: EngineHarness) -> None:
    # recorded: role-denied-redrive, after which the Map Run counts its failed and aborted children as before
    service = Service(*range(6))
    states = {"M": over(list(range(6)), "work", ToleratedFailureCount=3, MaxConcurrency=1, ResultWriter=WRITER)}
    first = run(harness, service, states).map_runs[0]
    service.broken = {0, 1, 2, 4, 5}
    states_again = run(harness, service, states, redrive=True)
    after = states_again.map_runs[0]
    assert (first["itemCounts"]["failed"], first["itemCounts"]["pending"]) == (4, 2)
    assert (after["itemCounts"]["failed"], after["itemCounts"]["succeeded"]) == (4, 1)
    assert after["itemCounts"]["pending"] == 1
    assert service.ran == [0, 1, 2, 3, 0, 1, 2, 3, 4]
    service.repair()
    last = run(harness, service, states, redrive=True)
    assert (last.status, last.output["MapRunArn"], service.ran) == ("SUCCEEDED", first["mapRunArn"], [0, 1, 2, 4, 5])


def test_express_children_start_over(harness: EngineHarness) -> None:
    # developer guide, table "Child workflow execution redrive behavior"; stackd: a new start time, no redrive counted
    service = Service("second 1")
    state = over([0, 1], MaxConcurrency=1, ResultWriter=WRITER)
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    second = task("{% 'second ' & $states.input %}", Output=CONTEXT, End=True)
    first = task("{% 'first ' & $states.input %}", Output="{% $states.input %}", Next="Second")
    state["ItemProcessor"] = {
        "ProcessorConfig": config,
        "StartAt": "First",
        "States": {"First": first, "Second": second},
    }
    run(harness, service, {"M": state})
    service.repair()
    harness.clock.time += 60
    assert run(harness, service, {"M": state}, redrive=True).status == "SUCCEEDED"
    assert service.ran == ["first 1", "second 1"]
    _, row = rows(harness, files(harness, "Redrive-1/"), "SUCCEEDED")
    assert (row["RedriveCount"], row["StartDate"]) == (0, timestamp(START + 60))
    assert json.loads(row["Output"])["execution"] == {"StartTime": timestamp(START + 60), "RedriveCount": 0}


def test_a_map_run_that_succeeded_is_kept_if_a_later_task_failed(harness: EngineHarness) -> None:
    service = Service("after", 1)
    state = over([0, 1], "work", ToleratedFailureCount=1, ResultWriter=WRITER)
    del state["End"]
    states = {"M": {**state, "Next": "After"}, "After": task("after", End=True)}
    first = run(harness, service, states)
    assert (first.status, first.map_runs[0]["status"]) == ("FAILED", "SUCCEEDED")
    service.repair()
    again = run(harness, service, states, redrive=True)
    assert (again.status, service.ran, again.map_runs) == ("SUCCEEDED", ["after"], first.map_runs)


def test_a_map_that_failed_after_its_map_run_succeeded_starts_another(harness: EngineHarness) -> None:
    # developer guide: after States.DataLimitExceeded the Map is rerun, "the child workflows that were successful" too
    large = {"large": True}
    outputs: list[Any] = []

    async def work(arguments: Any, context: Any) -> Any:
        outputs.append(arguments)
        return "x" * 200_000 if large["large"] else arguments

    states = {"M": over([0, 1], "work")}
    first = harness.run(states, tasks={"work": work})
    assert (first.status, first.error, first.map_runs[0]["status"]) == (
        "FAILED",
        "States.DataLimitExceeded",
        "SUCCEEDED",
    )
    large["large"] = False
    again = harness.run(states, tasks={"work": work}, redrive=True)
    assert (again.output, outputs) == ([0, 1], [0, 1, 0, 1])
    assert [(map_run["status"], map_run["redriveCount"]) for map_run in again.map_runs] == [("SUCCEEDED", 0)] * 2
    assert again.map_runs[0]["mapRunArn"] != again.map_runs[1]["mapRunArn"]


def test_a_map_run_whose_input_could_not_be_evaluated_is_replaced(harness: EngineHarness) -> None:
    # developer guide, "Redriving Map Runs": a JSON data interpolation error, States.Runtime
    service = Service()
    fails = "$states.context.Map.Item.Index = 1 and $states.context.Execution.RedriveCount = 0"
    ok = {"v": f"{{% {fails} ? $error('no') : 7 %}}"}
    states = {"M": over([0, 1], "work", ItemSelector=ok, MaxConcurrency=1)}
    assert run(harness, service, states).error == "States.QueryEvaluationError"
    again = run(harness, service, states, redrive=True)
    assert (again.status, service.ran) == ("SUCCEEDED", [{"v": 7}] * 3)


def test_a_redrive_writes_results_that_could_not_be_written_before(harness: EngineHarness) -> None:
    service = Service()
    states = {"M": over([0, 1], "work", ResultWriter=WRITER)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(harness.store, "publish", fail_to_publish)
        assert run(harness, service, states).error == "States.ResultWriterFailed"
    assert service.repair() == [0, 1]
    assert run(harness, service, states, redrive=True).status == "SUCCEEDED"
    assert service.ran == []
    assert [row["Input"] for row in rows(harness, files(harness, "Redrive-1/"), "SUCCEEDED")] == ["0", "1"]
