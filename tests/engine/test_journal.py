"""The journal: an execution can be resumed after a crash at any point."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genomics_pipeline.engine.events import ChildStarted, MapRunStarted
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model.errors import RunError

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[34][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_a_journal_of_another_execution_is_refused(harness: Any) -> None:
    states = {"A": {"Type": "Pass", "End": True}}
    harness.run(states, {"x": 1})
    with pytest.raises(RunError) as raised:
        harness.run(states, {"x": 2})
    assert str(raised.value) == (
        f"{harness.journal}/execution.jsonl: the journal belongs to another execution; use another folder"
    )


def test_the_result_of_an_ended_execution_comes_from_its_journal(harness: Any) -> None:
    states = {"T": {"Type": "Task", "Resource": "echo", "End": True}}
    first = harness.run(states, {"x": 1})
    harness.events.clear()
    assert harness.run(states, {"x": 1}) == first
    assert (len(harness.calls), harness.events) == (1, [])


# A machine with everything that a journal records: Tasks, a Parallel, an inline Map, variables, and a Distributed Map
# whose children have two Tasks each and of which one fails.
def task(name: str, **fields: Any) -> dict[str, Any]:
    arguments = {"task": name, "of": "{% $states.input.id %}"}
    return {"Type": "Task", "Resource": "work", "Arguments": arguments, "Output": "{% $states.input %}", **fields}


def child(of: str, **fields: Any) -> dict[str, Any]:
    one, two = f"one of {of}", f"two of {of}"
    return {"StartAt": one, "States": {one: task("one", Next=two), two: task("two", End=True)}, **fields}


DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
WRITER = {
    "Resource": "arn:aws:states:::s3:putObject",
    "WriterConfig": {"Transformation": "NONE", "OutputType": "JSONL"},
    "Arguments": {"Bucket": "b", "Prefix": "out"},
}
MACHINE: dict[str, Any] = {
    "first": task("first", Assign={"n": 7}, Next="each"),
    "each": {
        "Type": "Map",
        "Label": "Each",
        "Items": [{"id": "a"}, {"id": "b"}, {"id": "c"}],
        "MaxConcurrency": 2,
        "ToleratedFailureCount": 1,
        "ItemProcessor": child("each", **DISTRIBUTED),
        "ResultWriter": WRITER,
        "Output": "{% $states.input %}",
        "Next": "inline",
    },
    "inline": {
        "Type": "Map",
        "Items": [{"id": "i"}, {"id": "j"}],
        "ItemProcessor": child("inline"),
        "Next": "both",
    },
    "both": {
        "Type": "Parallel",
        "Arguments": {"id": "p"},
        "Branches": [
            child("both"),
            {"StartAt": "P", "States": {"P": {"Type": "Pass", "Output": "{% $n %}", "End": True}}},
        ],
        "Next": "last",
    },
    "last": {**task("last"), "Arguments": {"task": "last", "of": "{% $string($n) %}"}, "End": True},
}


def run_machine(harness: Any, folder: Path) -> tuple[Any, list[tuple[str, str]]]:
    """Run the machine on a journal and return its result and the (task, item) pairs that ran."""
    ran: list[tuple[str, str]] = []

    async def work(arguments: Any, context: Any) -> Any:
        ran.append((arguments["task"], arguments["of"]))
        if (arguments["task"], arguments["of"]) == ("two", "b"):
            raise StatesError("Bad", "b is bad")
        return arguments

    harness.journal = folder
    return harness.run(MACHINE, {"id": "x"}, tasks={"work": work}), ran


def comparable(result: Any) -> Any:
    """Return a result without the UUIDs of Map Runs, which differ if a Map Run had not started before the crash."""
    return UUID.sub("UUID", json.dumps([result.status, result.output, result.error, result.map_runs]))


EVERYTHING = [
    *(("first", "x"), ("one", "a"), ("one", "b"), ("one", "c"), ("two", "a"), ("two", "b"), ("two", "c")),
    *(("one", "i"), ("one", "j"), ("two", "i"), ("two", "j"), ("one", "p"), ("two", "p"), ("last", "7")),
]


def cuts(data: bytes) -> list[int]:
    """Return the sizes that a file may have after a crash: up to each line end, and to the middle of each line."""
    ends = [position + 1 for position, byte in enumerate(data) if byte == 10]
    return sorted({0, *ends, *((start + end) // 2 for start, end in zip([0, *ends], ends, strict=False))})


@pytest.fixture
def complete_run(harness: Any, tmp_path: Path) -> tuple[Any, Path]:
    """Return the result of a complete execution, and its journal."""
    result, ran = run_machine(harness, tmp_path / "complete")
    assert result.status == "SUCCEEDED"
    assert sorted(ran) == sorted(EVERYTHING)
    return result, tmp_path / "complete"


def resume(harness: Any, result: Any, folder: Path) -> list[tuple[str, str]]:
    """Resume from a truncated journal, check the result, and return the (task, item) pairs that ran again."""
    done = {
        record["end"]
        for path in folder.glob("*.jsonl")
        for line in path.read_bytes().splitlines(keepends=True)
        if line.startswith(b'{"end":') and line.endswith(b"\n") and (record := json.loads(line))
    }
    harness.events.clear()
    again, ran = run_machine(harness, folder)
    assert comparable(again) == comparable(result)
    assert again.map_runs[0]["transitions"] == result.map_runs[0]["transitions"]
    started = [event.index for event in harness.seen(ChildStarted)]
    assert not done & set(started)
    assert len(started) == len(set(started))
    return ran


def test_the_execution_resumes_after_a_crash_at_any_point_of_its_file(
    harness: Any, complete_run: tuple[Any, Path], tmp_path: Path
) -> None:
    result, complete = complete_run
    data = (complete / "execution.jsonl").read_bytes()
    counts = []
    for number, cut in enumerate(cuts(data)):
        folder = tmp_path / f"cut-{number}"
        shutil.copytree(complete, folder)
        (folder / "execution.jsonl").write_bytes(data[:cut])
        if b'{"map":' not in data[:cut] or data[:cut].rfind(b'{"map":') > data[:cut].rfind(b"\n"):
            for path in folder.iterdir():  # a Map Run's file has no lines before the execution's file mentions it
                if path.name != "execution.jsonl":
                    path.unlink()
        counts.append(len(resume(harness, result, folder)))
    assert counts[0] == len(EVERYTHING)
    assert counts[-1] == 0
    assert counts == sorted(counts, reverse=True)


def test_a_map_run_resumes_after_a_crash_at_any_point_of_its_file(
    harness: Any, complete_run: tuple[Any, Path], tmp_path: Path
) -> None:
    result, complete = complete_run
    log = (complete / "execution.jsonl").read_bytes()
    until = log.index(b"\n", log.index(b'{"map":')) + 1  # the line of the Map Run's start is the last one
    (children,) = (path for path in complete.glob("*.jsonl") if path.name != "execution.jsonl")
    data = children.read_bytes()
    after = 7  # tasks of the states that follow the map
    (written,) = (each for uri, each in harness.store.objects.items() if f"{children.stem}/SUCCEEDED" in uri)
    inputs = sorted(row["Input"] for row in map(json.loads, written.splitlines()))
    assert inputs
    counts = []
    for number, cut in enumerate(cuts(data)):
        folder = tmp_path / f"cut-{number}"
        folder.mkdir()
        (folder / "execution.jsonl").write_bytes(log[:until])
        (folder / children.name).write_bytes(data[:cut])
        last = [
            json.loads(line)
            for line in data[:cut].splitlines(keepends=True)
            if b'"row":' in line and line[-1:] == b"\n"
        ]
        for rows in complete.glob("*.rows"):  # written before the lines that refer to them: what follows is cut off
            kept = sum(last[-1]["row"][1:]) if last else 0
            (folder / rows.name).write_bytes(rows.read_bytes()[:kept] + b"left by a crash" * 20)
        ran = resume(harness, result, folder)
        (started,) = harness.seen(MapRunStarted)
        assert started.arn.endswith(children.stem)  # the Map Run keeps its UUID
        counts.append(len(ran))
        (written,) = (each for uri, each in harness.store.objects.items() if f"{children.stem}/SUCCEEDED" in uri)
        assert sorted(row["Input"] for row in map(json.loads, written.splitlines())) == inputs
    assert counts[0] == after + 6
    assert counts[-1] == after
    assert counts == sorted(counts, reverse=True)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(cuts_of=st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_an_execution_survives_repeated_crashes(
    harness: Any, complete_run: tuple[Any, Path], tmp_path_factory: pytest.TempPathFactory, cuts_of: list[float]
) -> None:
    """Truncate and resume several times; each crash loses the end of the file that was written last."""
    result, complete = complete_run
    folder = tmp_path_factory.mktemp("again") / "journal"
    shutil.copytree(complete, folder)
    for part in cuts_of:
        logs = sorted(folder.glob("*.jsonl"), key=lambda path: path.name == "execution.jsonl")
        log = logs[-1].read_bytes()
        mapped = log.find(b'{"map":')
        after = log.index(b"\n", mapped) + 1
        for other in logs[:-1]:
            if part < 0.5:
                data = other.read_bytes()
                other.write_bytes(data[: int(len(data) * part * 2)])
        logs[-1].write_bytes(log[: after if part < 0.5 else after + int((len(log) - after) * (part - 0.5) * 2)])
        resume(harness, result, folder)


def nested_map(name: str) -> dict[str, Any]:
    """Return a Distributed Map with a Distributed Map in its children."""
    inner = {"Type": "Map", "Label": "Inner", "ItemProcessor": child(name, **DISTRIBUTED), "End": True}
    outer = {"StartAt": "Inner", "States": {"Inner": {**inner, "Items": "{% $states.input %}"}}, **DISTRIBUTED}
    items = [[{"id": "a"}, {"id": "b"}], [{"id": "c"}]]
    return {"Type": "Map", "Label": "Outer", "Items": items, "MaxConcurrency": 1, "ItemProcessor": outer, "End": True}


def test_a_crash_loses_no_map_run_of_a_child(harness: Any, tmp_path: Path) -> None:
    """Truncate all files at the end of a nested Map Run, before or after the end of the child that contains it."""

    async def work(arguments: Any, context: Any) -> Any:
        harness.calls.append(arguments["of"])
        return arguments

    def run(folder: Path) -> Any:
        harness.journal = folder
        return harness.run({"M": nested_map("each")}, tasks={"work": work})

    result = run(tmp_path / "complete")
    assert [map_run["label"] for map_run in result.map_runs] == ["Inner", "Inner", "Outer"]
    lines = (tmp_path / "complete" / "execution.jsonl").read_bytes().splitlines(keepends=True)
    run_ends = [number for number, line in enumerate(lines, 1) if line.startswith(b'{"run":')]
    assert len(run_ends) == 3  # two nested ones and the outer one
    outer = tmp_path / "complete" / f"{result.map_runs[-1]['mapRunArn'].rpartition(':')[2]}.jsonl"
    for number, cut in enumerate(run_ends[:2]):
        for ends in (number, number + 1):
            folder = tmp_path / f"cut-{number}-{ends}"
            shutil.copytree(tmp_path / "complete", folder)
            (folder / "execution.jsonl").write_bytes(b"".join(lines[:cut]))
            kept = outer.read_bytes().splitlines(keepends=True)
            last = [*(number for number, line in enumerate(kept) if line.startswith(b'{"end":')), len(kept)]
            (folder / outer.name).write_bytes(b"".join(kept[: last[ends]]))
            harness.calls.clear()
            again = run(folder)
            assert comparable(again) == comparable(result)
            assert again.transitions == result.transitions
            assert set(harness.calls) <= ({"c"} if number == 0 else set())


def test_resumed_children_and_map_runs_keep_their_names_and_start_dates(harness: Any, tmp_path: Path) -> None:
    """Resume children under their earlier names, so that requests which contain the name stay the same."""
    names: list[str] = []

    async def work(arguments: Any, context: Any) -> Any:
        names.append(context.execution)
        harness.clock.time += 60
        return arguments

    def run(folder: Path) -> Any:
        harness.journal = folder
        return harness.run({"each": {**MACHINE["each"], "Next": "E"}, "E": {"Type": "Succeed"}}, tasks={"work": work})

    (first,) = run(tmp_path / "complete").map_runs
    before = set(names)
    names.clear()
    log = (tmp_path / "complete" / "execution.jsonl").read_bytes()
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "execution.jsonl").write_bytes(log[: log.index(b"\n", log.index(b'{"map":')) + 1])
    (again,) = run(tmp_path / "again").map_runs
    assert set(names) == before
    assert again["startDate"] == first["startDate"]
    assert again["stopDate"] > first["stopDate"]


def test_a_damaged_journal_is_refused_and_not_changed(harness: Any, complete_run: tuple[Any, Path]) -> None:
    _, complete = complete_run
    path = complete / "execution.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = b"damage\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(RunError, match=r"execution\.jsonl:2: expected a journal record"):
        run_machine(harness, complete)
    assert path.read_bytes() == b"".join(lines)
