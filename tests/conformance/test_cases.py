"""Every conformance case in `genomics-pipeline execute`, with the result and objects that AWS gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genomics_pipeline.cli.main import main
from tests.conformance import cases, comparison
from tests.conformance.cases import BadCase, Case, Expected

CASES = cases.load_all()


def _case_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", CASES, ids=_case_name)
def test_the_result_is_that_of_aws(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "buckets"
    root.mkdir()
    cases.place_objects(case.objects, root)
    files = {**case.machines, "machine": case.definition, "input": case.input}
    if case.mock:
        files["mock"] = case.mock
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    argv = ["execute", "machine.json", "--input", "input.json", "--root", "buckets", "--journal", "journal", "--json"]
    argv += ["--history", "history.jsonl"] if case.expected.history else []
    argv += ["--mock", "mock.json"] if case.mock else []
    for name in case.machines:
        argv += ["--state-machine", f"{name}={name}.json"]
    for arn, function in case.tasks.items():
        argv += ["--task", f"{arn}=tests.conformance.functions:{function}"]
    with pytest.raises(SystemExit) as exited:
        main([*argv, *case.arguments])
    out, err = capfd.readouterr()
    assert exited.value.code == case.expected.code(), err or out
    if case.expected.problems is not None:
        lines = [line.removeprefix("error: ") for line in err.splitlines()]
        assert list(comparison.differences(case.expected.problems, lines, "problems")) == []
        return
    assert list(comparison.result_differences(case.expected, json.loads(out))) == []
    if case.expected.history:
        events = [json.loads(line)["type"] for line in Path("history.jsonl").read_text().splitlines()]
        assert list(comparison.differences(case.expected.history, events, "history")) == []
    objects = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert list(comparison.object_differences(case.expected.objects or {}, objects)) == []


def test_every_case_is_a_file_and_every_topic_a_folder() -> None:
    files = [path.relative_to(cases.FOLDER) for path in cases.FOLDER.rglob("*") if path.is_file()]
    assert sorted(case.name for case in CASES) == sorted(file.with_suffix("").as_posix() for file in files)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "Expecting value: line 1 column 2 (char 1)"),
        ('{"definition": {}, "definition": {}}', "duplicate member among definition, definition"),
        (
            '{"souce": "x"}',
            "unknown members souce; there are arguments, definition, expected, input, machines, mock, "
            "objects, source, tasks",
        ),
        ('{"source": "x", "definition": {"StartAt": "A"}}', "expected a member 'expected'"),
        (
            '{"source": "x", "definition": {"StartAt": "A"}, "expected": {"status": "FAILED", "out": 1}}',
            "expected: unknown members out; there are cause, error, exit_code, history, map_runs, objects, output, "
            "problems, seconds, status, transitions",
        ),
        (
            '{"source": "x", "definition": {"StartAt": "A"}, "expected": {"error": "E"}}',
            "expected: either a status or problems",
        ),
        (
            '{"source": "x", "definition": {"StartAt": "A"}, "expected": {"status": "SUCCEEDED"}}',
            "expected: SUCCEEDED needs output",
        ),
        (
            '{"source": "x", "definition": {"StartAt": "A"}, "expected": {"status": "FAILED"}}',
            "expected: FAILED needs error and cause",
        ),
    ],
)
def test_an_invalid_case_is_refused(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "case.json"
    file.write_text(text)
    with pytest.raises(BadCase) as refused:
        cases.load("topic/case", file)
    assert str(refused.value) == f"{file}: {message}"


UUID = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize(
    ("expected", "actual", "differences"),
    [
        (1, 1, []),
        (1, 1.0, ["x: expected 1, found 1.0"]),
        (1, True, ["x: expected 1, found true"]),
        (None, {}, ["x: expected null, found {}"]),
        (f"arn:<uuid>:{UUID}", f"arn:{UUID}:<uuid>", []),
        ("at <time>", "at 2026-11-24T06:00:00.000Z", []),
        ({"matches": "[0-9]+"}, 12, []),
        ({"matches": "[0-9]+"}, 1.5, ["x: expected text like [0-9]+, found 1.5"]),
        ([1], [1, 2], ["x[1]: expected nothing, found 2"]),
        ({"a": {"b": [1]}}, {"a": {"b": [2]}}, ["x.a.b[0]: expected 1, found 2"]),
        ({"a": None}, {}, ["x.a: expected null, found nothing"]),
    ],
)
def test_values_are_compared_exactly(expected: object, actual: object, differences: list[str]) -> None:
    assert list(comparison.differences(expected, actual, "x")) == differences


def test_missing_counts_by_status_are_0() -> None:
    counts = {"pending": 0, "running": 0, "succeeded": 2, "failed": 1, "timedOut": 0, "aborted": 0}
    run = {"label": "M", "itemCounts": {**counts, "total": 3, "resultsWritten": 3}, "status": "FAILED"}
    assert not list(comparison.map_run_differences([{"itemCounts": {"failed": 1, "succeeded": 2, "total": 3}}], [run]))
    assert list(
        comparison.map_run_differences([{"label": "M", "itemCounts": {"succeeded": 2, "total": 3}}], [run])
    ) == ["map_runs[0].itemCounts.failed: expected 0, found 1"]
    assert list(comparison.map_run_differences([], [run])) == ["map_runs: expected 0, found 1"]


def test_seconds_lie_between_two_bounds() -> None:
    expected = Expected(status="FAILED", error="E", cause="c", seconds={"at_least": 2, "below": 3})
    actual = {"status": "FAILED", "error": "E", "cause": "c"}
    assert not list(comparison.result_differences(expected, {**actual, "seconds": 2.0}))
    assert list(comparison.result_differences(expected, {**actual, "seconds": 3.0})) == [
        'seconds: expected {"at_least": 2, "below": 3}, found 3.0'
    ]


def test_objects_are_compared_by_content() -> None:
    actual = {f"b/{UUID}/a.jsonl": b'{"n":1}\n{"n":2}\n', "b/a.txt": b"text", "b/a.bin": b"\xff", "b/a.json": b"[1]"}
    expected = {
        "b/<uuid>/a.jsonl": [{"n": 1}, {"n": 2}],
        "b/a.txt": "text",
        "b/a.bin": {"base64": "/w=="},
        "b/a.json": [1],
        "b/none": None,
    }
    assert not list(comparison.object_differences(expected, actual))
    assert list(comparison.object_differences({"b/a.json": [2], "b/a.txt": None, "b/x": "x"}, actual)) == [
        "b/a.json[0]: expected 2, found 1",
        "b/a.txt: expected no such object, found one",
        "b/x: expected one such object, found 0 among ['b/<uuid>/a.jsonl', 'b/a.bin', 'b/a.json', 'b/a.txt']",
    ]
