"""ResultWriter: names, keys and bytes of its files, as AWS writes them."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.engine.distributed_map.result_writer import Destination, ended_row, pending_row, state_output
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.stores.local import LocalStore

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
    (failed,) = harness.store.lines(harness.store.named("FAILED_0.jsonl"))
    assert list(failed) == sorted([*ENDED, "Cause", "Error"])
    assert harness.store.lines(harness.store.named("PENDING_0.jsonl")) == [pending_row("late")[1]]


@pytest.mark.parametrize(
    "end",
    [
        {"status": "ABORTED"},
        {"status": "FAILED", "error": "", "cause": ""},
        {"status": "TIMED_OUT", "error": "States.Timeout", "cause": None},
    ],
)
def test_a_row_has_no_empty_error_or_cause(end: dict[str, Any]) -> None:
    kind, row = ended_row({"name": "a", "start": 0, "stop": 1, "input": "1", **end}, "machine/Each")
    assert (kind, row["Status"]) == ("FAILED", end["status"])
    assert {name: row[name] for name in ("Error", "Cause") if name in row} == (
        {"Error": "States.Timeout"} if end["status"] == "TIMED_OUT" else {}
    )


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


END = {
    "status": "SUCCEEDED",
    "name": "c14657f3-4a9b-332a-9e94-7604fd4f2b67",
    "input": '{"BatchInput":{"tag":"t"},"Items":[{"n":"é \\"1\\""}]}',
    "output": '[10,{"copy":10}]',
    "start": 1790204391.865,
    "stop": 1790204399.951,
}
SECOND = {**END, "name": "509a96f8-32b7-3b7a-b438-c1d0d7f5e360", "output": '[20,{"copy":20}]', "start": 1790204400.376}
FAILED = {**END, "status": "FAILED", "error": "OwnedItemFailure", "cause": "intended"}
ABORTED = {name: END[name] for name in ("name", "input", "start", "stop")} | {"status": "ABORTED"}
CHILD = ARN.encode() + b":execution:machine/Each:c14657f3-4a9b-332a-9e94-7604fd4f2b67"
INPUT = b'"Input":"{\\"BatchInput\\":{\\"tag\\":\\"t\\"},\\"Items\\":[{\\"n\\":\\"\xc3\xa9 \\\\\\"1\\\\\\"\\"}]}"'
INCLUDED = b'"InputDetails":{"Included":true}'
NAME = b'"Name":"c14657f3-4a9b-332a-9e94-7604fd4f2b67"'
MACHINE = b'"StateMachineArn":"' + ARN.encode() + b':stateMachine:machine/Each"'
WRITTEN = {
    "SUCCEEDED": (
        b'{"ExecutionArn":"%s",%s,%s,%s,"Output":"[10,{\\"copy\\":10}]","OutputDetails":{"Included":true},'
        b'"RedriveCount":0,"RedriveStatus":"NOT_REDRIVABLE",'
        b'"RedriveStatusReason":"Execution is SUCCEEDED and cannot be redriven","StartDate":"2026-09-23T22:59:51.865Z",'
        b'%s,"Status":"SUCCEEDED","StopDate":"2026-09-23T22:59:59.951Z"}' % (CHILD, INPUT, INCLUDED, NAME, MACHINE)
    ),
    "FAILED": (
        b'{"Cause":"intended","Error":"OwnedItemFailure","ExecutionArn":"%s",%s,%s,%s,'
        b'"OutputDetails":{"Included":true},"RedriveCount":0,"RedriveStatus":"REDRIVABLE_BY_MAP_RUN",'
        b'"StartDate":"2026-09-23T22:59:51.865Z",%s,"Status":"FAILED","StopDate":"2026-09-23T22:59:59.951Z"}'
        % (CHILD, INPUT, INCLUDED, NAME, MACHINE)
    ),
    "PENDING": b'{"Input":"{\\"n\\":2}","InputDetails":{"Included":true},"Status":"PENDING"}',
}
ABORTED_BYTES = (
    WRITTEN["FAILED"].replace(b'"Cause":"intended","Error":"OwnedItemFailure",', b"").replace(b'"FAILED"', b'"ABORTED"')
)


# Shapes, order of members and endings of files as recorded: radkawar/stackd testdata/aws/stepfunctions/
# distributed_map.json, downloads of cancel_pending (JSON), csv_pipe_batch and jsonata_flatten (JSONL).
@pytest.mark.parametrize(
    ("transformation", "kind", "succeeded"),
    [
        ("NONE", "JSON", b"[%s]" % WRITTEN["SUCCEEDED"]),
        ("NONE", "JSONL", WRITTEN["SUCCEEDED"] + b"\n"),
        ("COMPACT", "JSON", b'[[10,{"copy":10}]]'),
        ("COMPACT", "JSONL", b'[10,{"copy":10}]\n'),
        ("FLATTEN", "JSON", b'[10,{"copy":10}]'),
        ("FLATTEN", "JSONL", b'10\n{"copy":10}\n'),
    ],
)
def test_files_equal_awss_byte_for_byte(
    harness: Any, tmp_path: Path, transformation: str, kind: str, succeeded: bytes
) -> None:
    rows = [ended_row(FAILED, "machine/Each"), ended_row(END, "machine/Each")]
    rows += [ended_row(ABORTED, "machine/Each"), pending_row({"n": 2})]
    Destination(harness.store, "bucket", "results/x", transformation, kind).write("arn:run", "uuid", rows, tmp_path)
    begin, between, end = (b"[", b",", b"]") if kind == "JSON" else (b"", b"\n", b"\n")
    files = {
        "FAILED": begin + WRITTEN["FAILED"] + between + ABORTED_BYTES + end,
        "PENDING": begin + WRITTEN["PENDING"] + end,
        "SUCCEEDED": succeeded,
    }
    base, suffix = "results/x/uuid", kind.lower()
    named = b",".join(
        b'"%s":[{"Key":"%s/%s_0.%s","Size":%d}]'
        % (name.encode(), base.encode(), name.encode(), suffix.encode(), len(data))
        for name, data in files.items()
    )
    assert harness.store.objects == {
        **{f"s3://bucket/{base}/{name}_0.{suffix}": data for name, data in files.items()},
        f"s3://bucket/{base}/manifest.json": (
            b'{"DestinationBucket":"bucket","MapRunArn":"arn:run","ResultFiles":{%s}}' % named
        ),
    }


def test_a_map_run_without_items_writes_an_empty_manifest(harness: Any, tmp_path: Path) -> None:
    Destination(harness.store, "bucket", "", "NONE", "JSON").write("arn:run", "uuid", [], tmp_path)
    assert harness.store.objects == {
        "s3://bucket/uuid/manifest.json": (
            b'{"DestinationBucket":"bucket","MapRunArn":"arn:run",'
            b'"ResultFiles":{"FAILED":[],"PENDING":[],"SUCCEEDED":[]}}'
        )
    }


@given(
    st.lists(st.text('aé\\"\n', max_size=9), max_size=30),
    st.integers(1, 60),
    st.sampled_from(["JSON", "JSONL"]),
    st.sampled_from(["COMPACT", "FLATTEN"]),
)
def test_files_together_contain_all_outputs_and_are_within_the_limit(
    texts: list[str], most: int, kind: str, transformation: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore({"b": Path(folder) / "b"})
        rows = [ended_row({**END, "output": json.dumps(text, ensure_ascii=False)}, "m") for text in texts]
        destination = Destination(store, "b", "p", transformation, kind, most)
        destination.write("arn", "uuid", rows, Path(folder))
        manifest = json.loads(store.read("s3://b/p/uuid/manifest.json"))
        outputs: list[str] = []
        for file in manifest["ResultFiles"]["SUCCEEDED"]:
            data = store.read(f"s3://b/{file['Key']}")
            values = json.loads(data) if kind == "JSON" else [json.loads(line) for line in data.splitlines()]
            assert len(data) == file["Size"]
            assert len(data) <= most or len(values) == 1
            outputs += values
    assert outputs == texts


@pytest.mark.parametrize(
    ("transformation", "expected"),
    [
        ("COMPACT", [[10, {"copy": 10}], json.loads(WRITTEN["FAILED"]), [20, {"copy": 20}]]),
        ("FLATTEN", [10, {"copy": 10}, json.loads(WRITTEN["FAILED"]), 20, {"copy": 20}]),
        (
            "NONE",
            [json.loads(WRITTEN["SUCCEEDED"]), json.loads(WRITTEN["FAILED"]), ended_row(SECOND, "machine/Each")[1]],
        ),
    ],
)
def test_the_states_result_has_the_form_of_the_files(transformation: str, expected: list[Any]) -> None:
    # Developer guide, "ResultWriter (Map)": failures are returned as with NONE.
    rows = [ended_row(end, "machine/Each") for end in (END, FAILED, SECOND)]
    assert state_output(rows, "Each", transformation) == expected


def test_the_size_of_the_states_result_is_limited(harness: Any) -> None:
    # Service quotas: 262,144 bytes. Cause: aws-samples/review-and-assessment-powered-by-intelligent-documentation#58.
    def rows(size: int) -> list[Any]:
        return [ended_row({**END, "output": f'"{"x" * length}"'}, "m") for length in (10, size - 17)]

    assert [len(value) for value in state_output(rows(262_144), "Each", "COMPACT")] == [10, 262_127]
    with pytest.raises(StatesError) as raised:
        state_output(rows(262_145), "Each", "COMPACT")
    assert raised.value.output() == {
        "Error": "States.DataLimitExceeded",
        "Cause": "The state/task 'Each' returned a result with a size exceeding "
        "the maximum number of bytes service limit.",
    }


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


def test_a_missing_bucket_is_reported(tmp_path: Path) -> None:
    destination = Destination(LocalStore(), "none", "p", "NONE", "JSON")
    with pytest.raises(StatesError) as raised:
        destination.write("arn", "uuid", [ended_row(END, "m")], tmp_path)
    assert raised.value.output() == {
        "Error": "States.ResultWriterFailed",
        "Cause": "s3://none/p: s3://none/p/uuid/SUCCEEDED_0.json: expected a bucket, found none",
    }
    assert list(tmp_path.iterdir()) == []


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
