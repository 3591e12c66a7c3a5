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
from unittest.mock import ANY

import pytest

from genomics_pipeline.engine.events import ChildEnded, ChildStarted
from genomics_pipeline.engine.execution import Engine, Stop
from genomics_pipeline.engine.history import EventFile
from genomics_pipeline.engine.start import StartRequest, run_execution
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.timestamps import format_timestamp as timestamp
from genomics_pipeline.model.errors import RunError
from tests.engine.conftest import EngineHarness
from tests.engine.distributed_map.test_map_run import WRITER, over
from tests.engine.test_history import event_lines

START = 1_000_000_000.0
CONTEXT = {
    "execution": "{% $states.context.Execution ~> |$|{}, ['Input', 'Id', 'RoleArn', 'Name']| %}",
    "state": "{% $states.context.State %}",
    "input": "{% $states.input %}",
}
WAIT = {"Type": "Wait", "Seconds": 1, "Next": "bad"}
NONE = {"timedOut": 0, "failuresNotRedrivable": 0, "pendingRedrive": 0, "running": 0}


class Service:
    """A service whose calls fail for some arguments until it is repaired.

    Attributes:
        broken: The arguments for which calls fail.
        ran: The arguments of all calls since the last repair.
    """

    def __init__(self, *broken: Any) -> None:
        self.broken = set(broken)
        self.ran: list[Any] = []

    async def work(self, arguments: Any, context: Any) -> Any:
        self.ran.append(arguments)
        if any(arguments == value for value in self.broken):
            raise StatesError("Bad", f"{arguments} is broken")
        return arguments

    def repair(self) -> list[Any]:
        """Let all further calls succeed, and return the arguments of the calls so far."""
        ran, self.ran, self.broken = self.ran, [], set()
        return ran


def task(name: Any, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": "work", "Arguments": name, **fields}


def run(harness: EngineHarness, service: Service, states: dict[str, Any], **top: Any) -> Any:
    return harness.run(states, {"x": 1}, tasks={"work": service.work}, **top)


def files(harness: EngineHarness, folder: str) -> dict[str, Any]:
    """Return the files that the manifest in a folder of the only Map Run lists."""
    (uri,) = (
        uri for uri in harness.store.objects if uri.endswith(f"{folder}manifest.json") and manifest_of(uri, folder)
    )
    listed: dict[str, Any] = json.loads(harness.store.objects[uri])["ResultFiles"]
    return listed


def manifest_of(uri: str, folder: str) -> bool:
    return ("Redrive-" in uri) == bool(folder)


def broken(*_: Any) -> None:
    raise OSError("no space left")


def rows(harness: EngineHarness, listed: dict[str, Any], kind: str) -> list[Any]:
    return [row for file in listed[kind] for row in harness.store.lines(f"s3://b/{file['Key']}")]


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


def test_a_map_run_continues_with_its_failed_aborted_and_pending_children(
    harness: EngineHarness, tmp_path: Path
) -> None:
    harness.history = tmp_path / "history.jsonl"
    service = Service(1)
    state = over([0, 1, 2, 3, 4], "work", MaxConcurrency=2, ResultWriter=WRITER)
    state["ItemProcessor"] = {
        **state["ItemProcessor"],
        "StartAt": "First",
        "States": {
            "First": {**task("{% 'first ' & $states.input %}"), "Output": "{% $states.input %}", "Next": "T"},
            "T": {
                "Type": "Task",
                "Resource": "gated",
                "Arguments": "{% $states.input %}",
                "Output": CONTEXT,
                "End": True,
            },
        },
    }
    del state["End"]
    states = {"M": {**state, "Next": "After"}, "After": task("after", Output="{% $states.input %}", End=True)}

    async def gated(arguments: Any, context: Any) -> Any:
        if 1 in service.broken and arguments == 2:
            await asyncio.Event().wait()  # it is running when too many have failed
        if 1 in service.broken and arguments == 1:
            while not [name for name in service.ran if name == "first 2"]:
                await asyncio.sleep(0)
            await asyncio.sleep(0)
        return await service.work(arguments, context)

    def go(*, redrive: bool = False) -> Any:
        return harness.run(states, {"x": 1}, tasks={"work": service.work, "gated": gated}, redrive=redrive)

    failed = go()
    assert (failed.status, failed.error) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    (before,) = failed.map_runs
    counts = {**NONE, "pending": 2, "succeeded": 1, "failed": 1, "aborted": 1, "total": 5, "resultsWritten": 5}
    assert (before["itemCounts"], before["redriveCount"]) == (counts, 0)
    first = files(harness, "")
    service.repair()
    harness.clock.time += 60
    harness.events.clear()
    again = go(redrive=True)
    assert again.status == "SUCCEEDED"
    assert sorted(map(str, service.ran)) == ["1", "2", "3", "4", "after", "first 3", "first 4"]
    names = {event.index: event.name for event in harness.seen(ChildStarted)}
    assert sorted(names) == [1, 2, 3, 4]
    (after,) = again.map_runs
    uuid = after["mapRunArn"].rpartition(":")[2]
    redriven = timestamp(START + 60)
    assert after == {
        **before,
        "status": "SUCCEEDED",
        "stopDate": redriven,
        "itemCounts": {
            **NONE,
            "pending": 0,
            "succeeded": 5,
            "failed": 0,
            "aborted": 0,
            "total": 5,
            "resultsWritten": 5,
        },
        "executionCounts": {
            **NONE,
            "pending": 0,
            "succeeded": 5,
            "failed": 0,
            "aborted": 0,
            "total": 5,
            "resultsWritten": 5,
        },
        "redriveCount": 1,
        "redriveDate": redriven,
        "transitions": 5 * 3 + 2,
        "resultWriterDetails": {"Bucket": "b", "Key": f"out/{uuid}/Redrive-1/manifest.json"},
    }
    assert again.output["ResultWriterDetails"] == after["resultWriterDetails"]
    listed = files(harness, "Redrive-1/")
    assert listed == {
        "FAILED": [],
        "PENDING": [],
        "SUCCEEDED": [*first["SUCCEEDED"], {"Key": f"out/{uuid}/Redrive-1/SUCCEEDED_0.jsonl", "Size": ANY}],
    }
    kept, *new = rows(harness, listed, "SUCCEEDED")
    assert (kept["Input"], kept["RedriveCount"], "RedriveDate" in kept) == ("0", 0, False)
    start = timestamp(START)
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
    events = [line.replace(after["mapRunArn"], "MAP_RUN") for line in event_lines(harness.history)]
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
        patch.setattr(harness.store, "publish", broken)
        assert run(harness, service, states).error == "States.ResultWriterFailed"
    assert service.repair() == [0, 1]
    assert run(harness, service, states, redrive=True).status == "SUCCEEDED"
    assert service.ran == []
    assert [row["Input"] for row in rows(harness, files(harness, "Redrive-1/"), "SUCCEEDED")] == ["0", "1"]


def test_a_crash_in_a_redrive_loses_nothing(harness: EngineHarness, tmp_path: Path) -> None:
    """Truncate the Map Run's file at every line after the start of the redrive: it stays the same redrive."""
    service = Service(1, 3)
    state = over(list(range(5)), "work", MaxConcurrency=1, ToleratedFailureCount=1, ResultWriter=WRITER)
    states = {"M": state}
    run(harness, service, states)
    service.repair()
    complete = run(harness, service, states, redrive=True)
    assert service.ran == [1, 3, 4]
    (uuid,) = (path.stem for path in harness.journal.glob("*.jsonl") if path.stem != "execution")
    ends = (harness.journal / f"{uuid}.jsonl").read_bytes().splitlines(keepends=True)
    log = (harness.journal / "execution.jsonl").read_bytes().splitlines(keepends=True)
    redriven = next(n for n, line in enumerate(log) if line.startswith(b'{"redrive"')) + 1
    first = next(n for n, line in enumerate(ends) if line.startswith(b'{"redrive"'))
    for cut in range(first, len(ends) + 1):
        harness.journal = tmp_path / f"cut-{cut}"
        harness.journal.mkdir()
        (harness.journal / "execution.jsonl").write_bytes(b"".join(log[:redriven]))
        (harness.journal / f"{uuid}.jsonl").write_bytes(b"".join(ends[:cut]))
        service.ran = []
        again = run(harness, service, states)
        assert (again.status, again.map_runs, again.transitions) == (
            "SUCCEEDED",
            complete.map_runs,
            complete.transitions,
        )
        done = sum(line.startswith(b'{"end"') for line in ends[first:cut])
        assert service.ran == [1, 3, 4][done:]
        listed = files(harness, "Redrive-1/")
        assert [row["Input"] for row in rows(harness, listed, "SUCCEEDED")] == ["0", "2", "1", "3", "4"]


def test_children_that_wait_for_their_redrive_are_counted(harness: EngineHarness, tmp_path: Path) -> None:
    """Check that children that wait for their redrive are ``pendingRedrive``, neither failed nor pending."""
    service = Service(0, 1)
    live: list[Any] = []
    engines: list[Engine] = []

    async def work(arguments: Any, context: Any) -> Any:
        if not service.broken:
            live.extend(describe() for describe in engines[-1].running_map_runs.values())
        return await service.work(arguments, context)

    async def go(redrive: bool) -> Any:
        store: Any = harness.store
        engine = Engine(store, Handlers({"work": work}), harness.clock, harness.events.append, harness.journal)
        engines.append(engine)
        state = over([0, 1, 2], "work", MaxConcurrency=1, ToleratedFailureCount=1, ResultWriter=WRITER)
        document = {"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": state}}
        with EventFile(None) as events:
            return await run_execution(engine, StartRequest(document, 1, "run-1", "machine"), events, redrive)

    harness.journal.mkdir()
    assert asyncio.run(go(False)).status == "FAILED"
    service.repair()
    assert asyncio.run(go(True)).status == "SUCCEEDED"
    counts = {**NONE, "failed": 0, "aborted": 0, "total": 3, "resultsWritten": 0, "running": 1}
    assert [description["itemCounts"] for description in live] == [
        {**counts, "succeeded": 0, "pending": 1, "pendingRedrive": 1},
        {**counts, "succeeded": 1, "pending": 1},
        {**counts, "succeeded": 2, "pending": 0},
    ]


def test_a_stopped_execution_can_be_redriven(harness: EngineHarness, tmp_path: Path) -> None:
    service = Service()
    waiting = asyncio.Event

    async def go(redrive: bool) -> Any:
        main = asyncio.current_task()
        assert main is not None

        async def work(arguments: Any, context: Any) -> Any:
            service.ran.append(arguments)
            if not redrive and arguments == "b":
                engine.stop = Stop("Cancelled", "by a person")
                main.cancel()
                await waiting().wait()
            return arguments

        store: Any = harness.store
        engine = Engine(store, Handlers({"work": work}), harness.clock, harness.events.append, harness.journal)
        state = over(["a", "b", "c"], "work", MaxConcurrency=1, ResultWriter=WRITER)
        document = {"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": state}}
        with EventFile(tmp_path / "history") as events:
            return await run_execution(engine, StartRequest(document, 1, "run-1", "machine"), events, redrive)

    harness.journal.mkdir()
    stopped = asyncio.run(go(False))
    assert (stopped.status, stopped.map_runs[0]["status"]) == ("ABORTED", "ABORTED")
    harness.events.clear()
    again = asyncio.run(go(True))
    assert (again.status, again.map_runs[0]["redriveCount"]) == ("SUCCEEDED", 1)
    assert service.ran == ["a", "b", "b", "c"]
    assert [event.index for event in harness.seen(ChildEnded)] == [1, 2]
