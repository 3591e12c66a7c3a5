"""The assumptions about the bytes of ResultWriter's rows, checked on rows of AWS and of the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from genomics_pipeline.engine.distributed_map.result_rows import ended_row, pending_row
from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.records.result_row import ResultRow
from genomics_pipeline.records.row_bytes import check_row

RECORDED = sorted((Path(__file__).parent / "data/result_writer/results").rglob("*_0.json*"))
ROWS_OF_CHILDREN = [file for file in RECORDED if b'"InputDetails"' in file.read_bytes()]
CHILD_INPUT = '{"item":{"sample":"é","note":"\\"Input\\":\\"/\\u0001"},"n":1.50}'
END = {"name": "n", "start": 1, "stop": 2, "input": CHILD_INPUT}
CAUSE = '{"stage":"alignment","class":"out_of_memory","error":"E","tried":[],"cause":"{\\"a\\":1}"}'


def engine_rows() -> list[bytes]:
    ends = [
        {**END, "status": "FAILED", "error": "E", "cause": CAUSE},
        {**END, "status": "FAILED", "error": "E", "cause": "no JSON"},
        {**END, "status": "ABORTED"},
        {**END, "status": "SUCCEEDED", "output": '{"a":1}'},
    ]
    return [dumps(ended_row(end, "m")[1]) for end in ends] + [dumps(pending_row(json.loads(CHILD_INPUT))[1])]


@pytest.mark.parametrize("row", engine_rows())
def test_rows_of_the_engine(row: bytes) -> None:
    check_row(row)
    assert ResultRow("f", 1, row).raw_input() is not None  # located by its bytes


@pytest.mark.parametrize("file", ROWS_OF_CHILDREN, ids=lambda file: "/".join(file.parts[-3:]))
def test_rows_of_aws(file: Path) -> None:
    data = file.read_bytes()
    children = orjson.loads(data) if file.suffix == ".json" else [orjson.loads(line) for line in data.splitlines()]
    for child in children:
        row = orjson.dumps(child)
        assert row in data  # the same bytes as written by AWS
        check_row(row)


def changed(row: bytes, old: bytes, new: bytes) -> bytes:
    assert old in row
    return row.replace(old, new)


FAILED, PENDING = engine_rows()[0], engine_rows()[-1]
BROKEN: dict[str, Any] = {
    "spaces": json.dumps(json.loads(FAILED)).encode(),
    "escaped otherwise": json.dumps(json.loads(FAILED), separators=(",", ":"), ensure_ascii=True).encode(),
    "a member between": changed(FAILED, b'"InputDetails"', b'"InputBytes":7,"InputDetails"'),
    "another last member": changed(PENDING, b'"Status":"PENDING"', b'"Status":"PENDING","Why":"x"'),
    "a number at the end": changed(FAILED, b'02.000Z"}', b'02.000Z","Zeros":0}'),
    "a cause that begins otherwise": changed(FAILED, b'\\"class\\"', b'\\"n\\":1,\\"class\\"'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_other_rows_are_noticed(name: str) -> None:
    with pytest.raises(RuntimeError, match="ResultWriter's rows: expected"):
        check_row(BROKEN[name])
