"""Documents of pipelines over records: the reader of each source, the type of children, and executions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.asl.function_state import execution_type, longest_seconds
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.record_budget import MOST_FOLDERS, check_folders, check_record_budget
from genomics_pipeline.cli.main import main
from genomics_pipeline.language.validation.validate import diagnose
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.function_errors import BY_FUNCTION_ERROR, function_class
from genomics_pipeline.model.pipeline import MapSettings, Pipeline, Stage
from genomics_pipeline.model.record_source import RecordSource
from genomics_pipeline.model.record_task import RecordAnswer
from genomics_pipeline.model.step import InputSpec, Resources, StepSpec

GOLDEN = Path(__file__).parents[1] / "golden"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:genomics-pipeline-{0}=tests.asl.record_functions:{0}"
RUN = {"name": "r", "bucket": "bucket", "prefix": "runs/r/"}
INPUT: dict[str, Any] = {
    "run": RUN,
    "parameters": {"score": {"least": 7}},
    "tolerated": {"percentage": 50, "count": 100_000_000},
}
RESOURCES = Resources(runtime="lambda", timeout_s=30)
STEP = StepSpec("score", "1", "S", (), {"records": InputSpec("records", "records")}, {}, {}, RESOURCES, {}, {})


def pipeline_of(step: StepSpec = STEP, **settings: Any) -> Pipeline:
    stages = (Stage(step.name, step, "record", {"records": "records"}, {}),)
    return Pipeline("p", "P", {"record": MapSettings(**settings)}, stages, {})


def execute(
    folder: Path, definition: Mapping[str, Any], value: Mapping[str, Any], capfd: pytest.CaptureFixture[str], *more: str
) -> dict[str, Any]:
    """Execute a document with the functions of `record_functions`, and return the outcome."""
    (folder / "machine.json").write_text(json.dumps(definition))
    (folder / "input.json").write_text(json.dumps(value))
    argv = ["execute", str(folder / "machine.json"), "--input", str(folder / "input.json")]
    argv += ["--root", str(folder / "buckets"), "--fast-forward", "--json", *more]
    for name in ("score", "warn"):
        argv += ["--task", FUNCTION.format(name)]
    with pytest.raises(SystemExit):
        main(argv)
    out, err = capfd.readouterr()
    assert out, err
    outcome: dict[str, Any] = json.loads(out)
    return outcome


def rows(folder: Path, label: str) -> list[dict[str, Any]]:
    """Return the rows of the files of all Map Runs with a Label."""
    files = sorted((folder / "buckets/bucket/runs/r/map-runs" / label).rglob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    folder = tmp_path / "buckets" / "bucket" / "in"
    folder.mkdir(parents=True)
    records = [{"amount": 1}, {"amount": 2}, {}, {"amount": -1}, {"amount": 5}]
    (folder / "a.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "a.tsv").write_text("x\t3\ny\t4\n")
    return tmp_path


def golden(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return document


def test_batches_are_answered_and_one_that_fails_costs_only_itself(
    bucket: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    definition = golden("records")
    definition["States"]["Record"]["ItemBatcher"]["MaxItemsPerBatch"] = 3
    outcome = execute(bucket, definition, {**INPUT, "records": {"bucket": "bucket", "key": "in/a.jsonl"}}, capfd)
    assert outcome["status"] == "SUCCEEDED"
    done, failed = sorted(rows(bucket, "Record"), key=lambda row: str(row["Status"]), reverse=True)
    answer = RecordAnswer.from_json(json.loads(done["Output"]))
    assert (answer.stage, answer.records, answer.result) == ("score", 3, {"amounts": [1, 2, None], "least": 7})
    assert [(one.index, one.message) for one in answer.failures] == [(2, "no amount")]
    assert json.loads(failed["Input"])["Items"] == [{"amount": -1}, {"amount": 5}]
    failure = classify(failed["Error"], failed["Cause"])
    assert (failure.failure_class, failure.stage, failure.message) == (
        FailureClass.TOOL_ERROR,
        "score",
        "ValueError: a negative amount",
    )


def test_folders_are_divided_among_map_runs_and_a_later_stage_has_the_result_of_the_first(
    bucket: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    places = {"bucket": "bucket", "prefixes": ["in/one/", "in/two/"]}
    outcome = execute(bucket, golden("records-in-parts"), {**INPUT, "records": places}, capfd)
    assert outcome["status"] == "SUCCEEDED"
    answers = [RecordAnswer.from_json(json.loads(row["Output"])) for row in rows(bucket, "Record")]
    assert [(one.stage, one.records, one.result) for one in answers] == [("warn", 2, 2)] * 2
    assert [[failure.index for failure in one.failures] for one in answers] == [[1], [1]]
    assert len(list((bucket / "buckets/bucket/runs/r/map-runs/Record").iterdir())) == 2


@pytest.mark.parametrize(("more", "error"), [(0, None), (1, "States.DataLimitExceeded")])
def test_the_most_folders_are_those_whose_results_fit_into_an_output(
    more: int, error: str | None, bucket: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """In place of each Map Run is a state with the longest output of one."""
    definition, folders = golden("records-in-parts"), [f"in/{number:04}/" for number in range(MOST_FOLDERS + more)]
    key = f"runs/{'r' * 80}/map-runs/{'L' * 40}/{'0' * 36}/manifest.json"
    result = {"Type": "Pass", "Output": {"Bucket": "b" * 63, "Key": key}, "End": True}
    definition["States"]["RecordParts"]["ItemProcessor"]["States"]["Record"] = result
    places = {"bucket": "bucket", "prefixes": folders}
    assert execute(bucket, definition, {**INPUT, "records": places}, capfd).get("error") == error
    if error is None:
        check_folders("s3://bucket/in/", folders)
        return
    with pytest.raises(DataError) as refused:
        check_folders("s3://bucket/in/", folders)
    assert str(refused.value) == (
        "s3://bucket/in/: expected at most 963 folders, since AWS allows 262144 bytes in an output, found 964; submit "
        "some of the folders in a run of their own"
    )


def test_folders_whose_names_fit_into_no_input_are_refused() -> None:
    with pytest.raises(DataError) as refused:
        check_folders("s3://bucket/in/", [f"in/{'x' * 900}{number}/" for number in range(300)])
    assert str(refused.value) == (
        "s3://bucket/in/: expected names of folders of at most 230,144 bytes together, since AWS allows 262144 bytes "
        "in an input, found 272,891; submit some of the folders in a run of their own"
    )


def test_a_rerun_reads_json_lines_whatever_the_source(bucket: Path, capfd: pytest.CaptureFixture[str]) -> None:
    value = {**INPUT, "again": True, "records": {"bucket": "bucket", "key": "in/a.jsonl"}}
    value["parameters"] = {}
    (bucket / "buckets/bucket/in/a.jsonl").write_text('{}\n{"amount": 4}\n{"amount": 5}\n')
    assert execute(bucket, golden("records-in-parts"), value, capfd)["status"] == "SUCCEEDED"
    (answer,) = [RecordAnswer.from_json(json.loads(row["Output"])) for row in rows(bucket, "RecordAgain")]
    # The failures of both stages: the first record has no amount, and the second stage refuses the last one.
    assert (answer.stage, [one.index for one in answer.failures]) == ("warn", [0, 2])
    assert rows(bucket, "Record") == []


@pytest.mark.parametrize(
    ("error", "cause", "attempts", "failure_class"),
    [
        ("Lambda.TooManyRequestsException", "Rate Exceeded.", 9, "throttled"),
        ("Lambda.ServiceException", "Service error", 3, "throttled"),
        ("Lambda.Unknown", '{"errorMessage":"2026-11-29 Task timed out after 30.00 seconds"}', 1, "timeout"),
        ("Sandbox.Timedout", '{"errorType":"Sandbox.Timedout","errorMessage":"timed out"}', 1, "timeout"),
        ("Runtime.ExitError", '{"errorMessage":"Runtime exited with error: signal: killed"}', 1, "out_of_memory"),
        ("Lambda.Unknown", "The cause could not be determined", 1, "unknown"),
        ("KeyError", '{"errorType":"KeyError","errorMessage":"\'amount\'"}', 1, "tool_error"),
        ("DataError", '{"errorType":"DataError","errorMessage":"panel: not found"}', 1, "bad_input"),
    ],
)
def test_errors_of_the_service_are_retried_and_each_failure_has_its_class(
    bucket: Path, capfd: pytest.CaptureFixture[str], error: str, cause: str, attempts: int, failure_class: str
) -> None:
    mock = {
        "StateMachines": {"machine": {"TestCases": {"Fails": {"score": "Thrown"}}}},
        "MockedResponses": {"Thrown": {f"0-{attempts - 1}": {"Throw": {"Error": error, "Cause": cause}}}},
    }
    if attempts == 1:
        mock["MockedResponses"]["Thrown"] = {"0": {"Throw": {"Error": error, "Cause": cause}}}
    (bucket / "mock.json").write_text(json.dumps(mock))
    (bucket / "buckets/bucket/in/a.jsonl").write_text('{"amount": 4}\n')
    value = {**INPUT, "records": {"bucket": "bucket", "key": "in/a.jsonl"}}
    outcome = execute(bucket, golden("records"), value, capfd, "--mock", str(bucket / "mock.json"))
    assert outcome["status"] == "FAILED"
    (row,) = rows(bucket, "Record")
    assert row["Error"] == error
    assert json.loads(row["Cause"])["class"] == failure_class
    assert classify(row["Error"], row["Cause"]).failure_class == failure_class
    assert function_class(error, cause) == failure_class


@pytest.mark.parametrize("error", BY_FUNCTION_ERROR)
def test_the_classes_of_definitions_and_of_this_program_are_the_same(error: str) -> None:
    assert classify(error, '{"errorType":"x"}').failure_class is BY_FUNCTION_ERROR[error]


@pytest.mark.parametrize(
    ("source", "resource", "config"),
    [
        (RecordSource(), "getObject", {"InputType": "JSONL"}),
        (RecordSource("JSON", pointer="/a"), "getObject", {"InputType": "JSON", "ItemsPointer": "/a"}),
        (RecordSource("CSV"), "getObject", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}),
        (RecordSource("PARQUET", max_items=9), "getObject", {"InputType": "PARQUET", "MaxItems": 9}),
        (RecordSource("MANIFEST"), "getObject", {"ManifestType": "S3_INVENTORY"}),
        (RecordSource("OBJECTS"), "listObjectsV2", None),
        (
            RecordSource("PARQUET", prefix=True),
            "listObjectsV2",
            {"InputType": "PARQUET", "Transformation": "LOAD_AND_FLATTEN"},
        ),
    ],
)
def test_the_reader_of_each_source_is_one_that_aws_accepts(
    source: RecordSource, resource: str, config: dict[str, Any] | None
) -> None:
    document = generate(pipeline_of(items_per_batch=10, source=source))
    assert list(diagnose(document)) == []
    reader = document["States"]["Record"]["ItemReader"]
    assert (reader["Resource"].rpartition(":")[2], reader.get("ReaderConfig")) == (resource, config)
    assert ("RecordAgain" in document["States"]) == (source != RecordSource())


def test_children_are_express_while_all_attempts_fit_five_minutes() -> None:
    def type_of(*timeouts: int) -> str:
        steps = [replace(STEP, resources=replace(RESOURCES, timeout_s=one)) for one in timeouts]
        return execution_type([Stage(f"s{number}", one, "record", {}, {}) for number, one in enumerate(steps)])

    # Three attempts, each with five seconds more than the function, and waits of 47 and 3 seconds.
    assert longest_seconds(pipeline_of().stages) == 3 * 35 + 47 + 3
    assert [type_of(78), type_of(79), type_of(30), type_of(30, 30)] == ["EXPRESS", "STANDARD", "EXPRESS", "STANDARD"]


def test_one_record_without_a_batch_is_one_item(bucket: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (bucket / "buckets/bucket/in/a.jsonl").write_text('{"amount": 4}\n{"amount": 5}\n')
    value = {**INPUT, "records": {"bucket": "bucket", "key": "in/a.jsonl"}}
    assert execute(bucket, generate(pipeline_of()), value, capfd)["status"] == "SUCCEEDED"
    outputs = [json.loads(row["Output"]) for row in rows(bucket, "Record")]
    assert sorted(one["result"]["amounts"] for one in outputs) == [[4], [5]]


def test_a_result_over_256_kib_fails_its_batch_only(bucket: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (bucket / "buckets/bucket/in/a.jsonl").write_text('{"amount": 4, "text": 262144}\n{"amount": 5, "text": 9}\n')
    value = {**INPUT, "records": {"bucket": "bucket", "key": "in/a.jsonl"}}
    assert execute(bucket, generate(pipeline_of()), value, capfd)["status"] == "SUCCEEDED"
    done, failed = sorted(rows(bucket, "Record"), key=lambda row: str(row["Status"]), reverse=True)
    assert json.loads(done["Output"])["result"]["amounts"] == [5]
    assert classify(failed["Error"], failed.get("Cause", "")).failure_class is FailureClass.AWS_LIMIT


def test_batches_that_leave_no_room_for_the_rest_of_a_payload_are_refused() -> None:
    with pytest.raises(DataError, match=r"stage score: AWS allows 262144 bytes in a payload, found batches of at most"):
        generate(pipeline_of(max_input_bytes_per_batch=262_144))
    fitting = pipeline_of(items_per_batch=1000)
    generate(fitting)
    with pytest.raises(DataError, match="beside them; give a smaller max_input_bytes_per_batch"):
        check_record_budget(fitting, {"score": {"least": "x" * 40_000}})
