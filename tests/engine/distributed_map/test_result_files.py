"""The files and rows of ResultWriter, byte for byte as AWS writes them, and the state's result without files."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.engine import row_file
from genomics_pipeline.engine.distributed_map.result_rows import SuccessRows, ended_row, pending_row
from genomics_pipeline.engine.distributed_map.result_writer import Destination, state_output
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model.json_text import dumps, quoted
from genomics_pipeline.stores.local import LocalStore

ARN = "arn:aws:states:us-east-1:000000000000"
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


def test_a_missing_bucket_is_reported(tmp_path: Path) -> None:
    destination = Destination(LocalStore(), "none", "p", "NONE", "JSON")
    with pytest.raises(StatesError) as raised:
        destination.write("arn", "uuid", [ended_row(END, "m")], tmp_path)
    assert raised.value.output() == {
        "Error": "States.ResultWriterFailed",
        "Cause": "s3://none/p: s3://none/p/uuid/SUCCEEDED_0.json: expected a bucket, found none",
    }
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [1, 30_000, 70_000])
def test_a_row_in_pieces_is_that_of_its_members(size: int) -> None:
    for text, output in (('"%b"' + "x" * size, "é"), ("\\\n", '"' * size)):
        for stop in (1.0, 7.25):
            end = {"status": "SUCCEEDED", "name": "child", "start": 1.0, "stop": stop, "input": text, "output": output}
            row = SuccessRows("m%s/Each").row("child", (1.0, stop), (quoted(text.encode()), quoted(output.encode())))
            assert b"".join(row) == dumps(ended_row(end, "m%s/Each")[1])


@pytest.mark.parametrize("written_at_once", [1, 3, 5000, None])
def test_all_pieces_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written_at_once: int | None) -> None:
    pieces = [b"%d," % number for number in range(2049)]
    if written_at_once:  # as on a full disk
        monkeypatch.setattr(os, "writev", lambda file, several: os.write(file, b"".join(several)[:written_at_once]))
    with (tmp_path / "rows").open("wb") as file:
        assert row_file.write_pieces(file.fileno(), pieces) == sum(map(len, pieces))
    assert (tmp_path / "rows").read_bytes() == b"".join(pieces)
