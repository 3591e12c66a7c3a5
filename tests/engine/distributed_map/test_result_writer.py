"""ResultWriter: its destination, and the names and rows of its files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.engine.distributed_map.result_rows import pending_row
from genomics_pipeline.engine.distributed_map.result_writer import Destination
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import compact

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[34][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
ARN = "arn:aws:states:us-east-1:000000000000"
ENDED = ["ExecutionArn", "Input", "InputDetails", "Name", "OutputDetails", "RedriveCount", "RedriveStatus", "StartDate"]
ENDED += ["StateMachineArn", "Status", "StopDate"]


def state(writer: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Map",
        "Label": "Each",
        "Items": ["good", "bad", "late"],
        "MaxConcurrency": 1,
        "ToleratedFailureCount": 0,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "T",
            "States": {"T": {"Type": "Task", "Resource": "task", "End": True}},
        },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Arguments": {"Bucket": "{% $states.input.b %}", "Prefix": "{% $states.input.p %}"},
            **writer,
        },
        "End": True,
        **fields,
    }


def run(harness: Any, writer: dict[str, Any], prefix: str = "map-runs/Each") -> Any:
    async def task(arguments: Any, context: Any) -> Any:
        if arguments == "bad":
            raise StatesError("Bad", "becäuse")
        return {"é": [arguments, None]}

    return harness.run({"M": state(writer)}, {"b": "bucket", "p": prefix}, tasks={"task": task})


@pytest.mark.parametrize("kind", ["JSON", "JSONL"])
def test_a_manifest_lists_the_files_with_the_rows(harness: Any, kind: str) -> None:
    result = run(harness, {"WriterConfig": {"Transformation": "NONE", "OutputType": kind}})
    (map_run,) = result.map_runs
    uuid = map_run["mapRunArn"].rsplit(":", 1)[1]
    assert re.fullmatch(UUID, uuid)
    folder = f"map-runs/Each/{uuid}"
    suffix = kind.lower()
    kinds = ["FAILED", "PENDING", "SUCCEEDED"]
    assert harness.store.written == [
        *(f"s3://bucket/{folder}/{name}_0.{suffix}" for name in kinds),
        f"s3://bucket/{folder}/manifest.json",
    ]
    files = {name: harness.store.objects[f"s3://bucket/{folder}/{name}_0.{suffix}"] for name in kinds}
    assert harness.store.objects[f"s3://bucket/{folder}/manifest.json"].decode() == json.dumps(
        {
            "DestinationBucket": "bucket",
            "MapRunArn": f"{ARN}:mapRun:machine/Each:{uuid}",
            "ResultFiles": {name: [{"Key": f"{folder}/{name}_0.{suffix}", "Size": len(files[name])}] for name in kinds},
        },
        separators=(",", ":"),
    )
    for data in files.values():
        assert data.endswith(b"]" if kind == "JSON" else b"}\n")
        assert b": " not in data
        assert data.count(b"\n") == (0 if kind == "JSON" else 1)
    rows = {name: json.loads(data) for name, data in files.items()}
    (good,), (bad,), (late,) = (
        (rows[name] if kind == "JSON" else [rows[name]]) for name in ("SUCCEEDED", "FAILED", "PENDING")
    )
    assert list(good) == sorted([*ENDED, "Output", "RedriveStatusReason"])
    assert good == {
        "ExecutionArn": f"{ARN}:execution:machine/Each:{good['Name']}",
        "Input": '"good"',
        "InputDetails": {"Included": True},
        "Name": good["Name"],
        "Output": '{"é":["good",null]}',
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "StartDate": "2001-09-09T01:46:40.000Z",
        "StateMachineArn": f"{ARN}:stateMachine:machine/Each",
        "Status": "SUCCEEDED",
        "StopDate": "2001-09-09T01:46:40.000Z",
    }
    assert re.fullmatch(UUID, good["Name"])
    assert list(bad) == sorted([*ENDED, "Cause", "Error"])
    assert (bad["Cause"], bad["Error"], bad["Status"]) == ("becäuse", "Bad", "FAILED")
    assert (bad["Input"], bad["RedriveStatus"]) == ('"bad"', "REDRIVABLE_BY_MAP_RUN")
    assert late == {"Input": '"late"', "InputDetails": {"Included": True}, "Status": "PENDING"}
    assert list(harness.journal.glob("*.part")) == []


@pytest.mark.parametrize("prefix", ["", "/", "a", "a/"])
def test_a_prefix_needs_no_slash(harness: Any, prefix: str) -> None:
    result = run(harness, {}, prefix)
    uuid = result.map_runs[0]["mapRunArn"].rsplit(":", 1)[1]
    folder = prefix.strip("/") + "/" if prefix.strip("/") else ""
    assert harness.store.written[-1] == f"s3://bucket/{folder}{uuid}/manifest.json"


def write(harness: Any, tmp_path: Path, rows: list[Any], **settings: Any) -> list[str]:
    """Write rows of successes and return the texts of their files, in order."""
    options = {"transformation": "NONE", "output_type": "JSONL", **settings}
    destination = Destination(harness.store, "b", "p", **options)
    succeeded = ({"Output": compact(row), "n": number} for number, row in enumerate(rows))
    destination.write("arn", "uuid", (("SUCCEEDED", row) for row in succeeded), tmp_path)
    manifest = json.loads(harness.store.objects["s3://b/p/uuid/manifest.json"])
    files = manifest["ResultFiles"]["SUCCEEDED"]
    assert [file["Key"] for file in files] == [
        f"p/uuid/SUCCEEDED_{number}.{options['output_type'].lower()}" for number in range(len(files))
    ]
    texts = [harness.store.objects[f"s3://b/{file['Key']}"].decode() for file in files]
    assert [file["Size"] for file in files] == [len(text.encode()) for text in texts]
    return texts


@pytest.mark.parametrize(
    ("transformation", "kind", "expected"),
    [
        ("COMPACT", "JSON", '[{"a":1},[1,2],[],"é"]'),
        ("COMPACT", "JSONL", '{"a":1}\n[1,2]\n[]\n"é"\n'),
        ("FLATTEN", "JSON", '[{"a":1},1,2,"é"]'),
        ("FLATTEN", "JSONL", '{"a":1}\n1\n2\n"é"\n'),
    ],
)
def test_transformations_write_outputs_alone(
    harness: Any, tmp_path: Path, transformation: str, kind: str, expected: str
) -> None:
    rows = [{"a": 1}, [1, 2], [], "é"]
    assert write(harness, tmp_path, rows, transformation=transformation, output_type=kind) == [expected]


def test_failed_and_pending_rows_are_not_transformed(harness: Any) -> None:
    run(harness, {"WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSONL"}})
    (failed,) = harness.store.lines(harness.store.uri_of("FAILED_0.jsonl"))
    assert list(failed) == sorted([*ENDED, "Cause", "Error"])
    assert harness.store.lines(harness.store.uri_of("PENDING_0.jsonl")) == [pending_row("late")[1]]


@pytest.mark.parametrize(
    ("kind", "most", "expected"),
    [
        ("JSONL", 8, ["1\n2\n3\n4\n", "5\n"]),
        ("JSONL", 7, ["1\n2\n3\n", "4\n5\n"]),
        ("JSONL", 1, ["1\n", "2\n", "3\n", "4\n", "5\n"]),
        ("JSONL", 1000, ["1\n2\n3\n4\n5\n"]),
        ("JSON", 6, ["[1,2]", "[3,4]", "[5]"]),
        ("JSON", 1, ["[1]", "[2]", "[3]", "[4]", "[5]"]),
    ],
)
def test_a_full_file_is_followed_by_another(
    harness: Any, tmp_path: Path, kind: str, most: int, expected: list[str]
) -> None:
    settings = {"transformation": "COMPACT", "output_type": kind, "max_file_bytes": most}
    texts = write(harness, tmp_path, [1, 2, 3, 4, 5], **settings)
    assert texts == expected
    assert all(len(text) <= most or text.strip("[]\n").isdigit() for text in texts)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("{% 7 %}", "7"),
        ({"Bucket": "{% 7 %}"}, '{"Bucket":7}'),
        ({"Bucket": "", "Prefix": "p"}, '{"Bucket":"","Prefix":"p"}'),
        ({"Bucket": "b", "Prefix": ["p"]}, '{"Bucket":"b","Prefix":["p"]}'),
    ],
)
def test_a_bucket_or_prefix_that_is_not_a_string_fails_the_state(harness: Any, arguments: Any, shown: str) -> None:
    result = run(harness, {"Arguments": arguments})
    cause = f"ResultWriter: expected strings in Bucket and Prefix, found {shown}"
    assert (result.error, result.cause) == ("States.ResultWriterFailed", cause)


def test_a_store_that_refuses_fails_the_state(harness: Any) -> None:
    def refuses(uri: str, data: bytes) -> None:
        raise DataError(f"{uri}: access denied")

    harness.store.write = refuses
    result = run(harness, {"WriterConfig": {"Transformation": "NONE", "OutputType": "JSONL"}})
    assert result.error == "States.ResultWriterFailed"
    assert result.cause.startswith("s3://bucket/map-runs/Each: s3://bucket/map-runs/Each/")
    assert result.cause.endswith("/FAILED_0.jsonl: access denied")
    assert list(harness.journal.glob("*.part")) == []


def test_a_writer_without_a_resource_writes_nothing(harness: Any) -> None:
    machine = state({}, ToleratedFailureCount=1)
    machine["ResultWriter"] = {"WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSON"}}

    async def task(arguments: Any, context: Any) -> Any:
        return arguments

    assert harness.run({"M": machine}, tasks={"task": task}).output == ["good", "bad", "late"]
    assert harness.store.written == []
