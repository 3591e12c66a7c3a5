from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.engine.distributed_map.result_writer import Destination, ended_row
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import MissingObject
from genomics_pipeline.worker.upstream import succeeded

Row = dict[str, Any]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "run").mkdir()
    return LocalStore({"run": tmp_path / "run"})


def child(number: int, given: Any, status: str = "SUCCEEDED") -> tuple[str, Row]:
    """A child's row, as our own interpreter and AWS write it."""
    told = {"output": "{}"} if status == "SUCCEEDED" else {"error": "E", "cause": "c"}
    name = f"child-{number}"
    return ended_row({"status": status, "name": name, "input": json.dumps(given), "start": 1, "stop": 2, **told}, "m")


def written(store: LocalStore, rows: list[tuple[str, Row]], tmp_path: Path, size: int = 1 << 20) -> dict[str, str]:
    to = Destination(store, "run", "map-runs/Sample", "NONE", "JSONL", size)
    to.write("arn", "uuid", rows, tmp_path)
    return to.manifest("uuid")


def item(**values: Any) -> Row:
    return {"item": values, "stage": "alignment"}


def test_single_items(store: LocalStore, tmp_path: Path) -> None:
    rows = [
        child(1, item(sample="b", lanes=[])),
        child(2, item(sample="c", lanes=[]), "FAILED"),
        child(3, item(sample="a", lanes=[])),
    ]
    details = written(store, rows, tmp_path)
    assert details == {"Bucket": "run", "Key": "map-runs/Sample/uuid/manifest.json"}
    assert succeeded(store, [details]) == ["a", "b"]


def test_batches(store: LocalStore, tmp_path: Path) -> None:
    names = [["00003", "00001"], ["00002"]]
    rows = [
        child(number, {"Items": [item(interval=name, regions=[]) for name in batch], "BatchInput": {"run": {}}})
        for number, batch in enumerate(names)
    ]
    assert succeeded(store, [written(store, rows, tmp_path)]) == ["00001", "00002", "00003"]


def test_several_files(store: LocalStore, tmp_path: Path) -> None:
    rows = [child(number, item(sample=f"s{number}", lanes=[])) for number in range(9, 0, -1)]
    details = written(store, rows, tmp_path, size=1000)
    manifest = json.loads(store.read("s3://run/" + details["Key"]))
    assert len(manifest["ResultFiles"]["SUCCEEDED"]) > 2
    assert succeeded(store, [details]) == [f"s{number}" for number in range(1, 10)]


def test_none_succeeded(store: LocalStore, tmp_path: Path) -> None:
    assert succeeded(store, [written(store, [], tmp_path)]) == []
    assert succeeded(store, [written(store, [child(1, item(sample="a"), "FAILED")], tmp_path)]) == []


GOOD = json.dumps(child(1, item(sample="a", lanes=[]))[1])


ROW = "a child execution's row (ResultWriter's Transformation NONE)"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[]", ROW),
        ("7", ROW),
        ("{}", ROW),
        ('{"Input": 7, "Status": "x"}', ROW),
        ('{"Input": "{}"}', ROW),
        ('{"Input": "7", "Status": "x"}', "a child's items in Input"),
        ('{"Input": "{}", "Status": "x"}', "a child's items in Input"),
        ('{"Input": "{\\"Items\\": [7]}", "Status": "x"}', "a child's items in Input"),
        ('{"Input": "{\\"item\\": 7}", "Status": "x"}', "a child's items in Input"),
    ],
)
def test_a_malformed_line_is_named(store: LocalStore, line: str, expected: str) -> None:
    store.write("s3://run/m.json", b'{"ResultFiles": {"SUCCEEDED": [{"Key": "x/SUCCEEDED_0.jsonl"}]}}')
    store.write("s3://run/x/SUCCEEDED_0.jsonl", f"{GOOD}\n{line}\n{GOOD}\n".encode())
    with pytest.raises(DataError) as error:
        succeeded(store, [{"Bucket": "run", "Key": "m.json"}])
    found = line if expected == ROW else json.loads(line)["Input"]
    assert str(error.value) == f"s3://run/x/SUCCEEDED_0.jsonl:2: expected {expected}, found {found!r}"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"ResultFiles": {}}', '{"ResultFiles": {"SUCCEEDED": [7]}}'])
def test_a_malformed_manifest_is_named(store: LocalStore, text: str) -> None:
    store.write("s3://run/m.json", text.encode())
    with pytest.raises(DataError) as error:
        succeeded(store, [{"Bucket": "run", "Key": "m.json"}])
    assert str(error.value).startswith(f"s3://run/m.json: expected ResultWriter's manifest, found {text!r}")


def test_missing_files(store: LocalStore) -> None:
    with pytest.raises(MissingObject, match=r"^s3://run/m\.json: expected a file, found none$"):
        succeeded(store, [{"Bucket": "run", "Key": "m.json"}])
    store.write("s3://run/m.json", b'{"ResultFiles": {"SUCCEEDED": [{"Key": "x"}]}}')
    with pytest.raises(MissingObject, match=r"^s3://run/x: expected a file, found none$"):
        succeeded(store, [{"Bucket": "run", "Key": "m.json"}])
