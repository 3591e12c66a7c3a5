"""The files of a journal: incomplete and damaged lines, and failed writes."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.engine.journal import DAMAGED, JournalFile, read_records
from genomics_pipeline.model.errors import RunError

RECORDS: list[dict[str, Any]] = [{"redrive": 1, "time": 1.5}, {"frame": "", "output": 2}]
COMPLETE = b'{"redrive":1,"time":1.5}\n{"frame":"","output":2}\n'


COUNTS = dict.fromkeys(("total", "running", "succeeded", "failed", "timedOut", "aborted"), 0)
MAP_RUN = {
    "mapRunArn": "arn",
    "label": "Sample",
    "status": "SUCCEEDED",
    "startDate": "2026-01-01T00:00:00.000Z",
    "itemCounts": COUNTS,
    "executionCounts": COUNTS,
    "transitions": 1,
}
WRONG: list[dict[str, Any]] = [
    {},
    {"a": 1},
    {"begin": "x", "started": 1},
    {"begin": {}, "started": "noon"},
    {"begin": {}, "started": 1e300},
    {"frame": 7, "output": 1},
    {"frame": "", "step": 1, "next": "A", "input": 1, "variables": [], "transitions": 1},
    {"map": "0", "uuid": "../../outside", "started": 1, "redrives": 0},
    {"map": "0", "uuid": "6a9632ca-b86c-45c7-8ef5-92a5ed0e650d", "started": 1, "redrives": -1},
    {"run": {}},
    {"run": {**MAP_RUN, "itemCounts": {**COUNTS, "failed": "1"}}},
    {"run": {**MAP_RUN, "startDate": "noon"}},
    {"run": {**MAP_RUN, "resultWriterDetails": {"Bucket": "RUN"}}},
    {"end": 0, "status": "SUCCEEDED"},
    {"end": -1, "name": "n", "input": "{}", "start": 1, "stop": 2, "items": 1, "transitions": 1, "status": "FAILED"},
    {"end": 0, "name": "n", "start": 1, "stop": 2, "items": 1, "transitions": 1, "status": "FAILED"},
    {"end": 0, "name": "n", "input": "{}", "start": 1, "stop": 2, "items": 1, "transitions": 1, "status": "SUCCEEDED"},
    {"end": 0, "row": [0, 5], "name": "n", "start": 1, "stop": 2, "items": 1, "transitions": 1, "status": "SUCCEEDED"},
    {
        "end": 0,
        "row": [0, -5, 5],
        "name": "n",
        "start": 1,
        "stop": 2,
        "items": 1,
        "transitions": 1,
        "status": "SUCCEEDED",
    },
    {"result": {}},
    {"result": {"status": "FAILED", "colour": "blue"}},
    {"result": {"status": "FAILED", "map_runs": [1]}},
    {"redrive": 1},
]


def dumps(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"


def test_the_shapes_are_those_of_real_records(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(dumps({"run": MAP_RUN}) + dumps({"result": {"status": "FAILED"}}))
    assert len(list(read_records(tmp_path / "log.jsonl"))) == 2


@pytest.mark.parametrize("incomplete", [b"", b"{", b'{"c":3}', b"[1]\n", b"\n", b"\xff\xfe", b'{"c":\n'])
def test_an_incomplete_last_line_is_removed(tmp_path: Path, incomplete: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(COMPLETE + incomplete)
    assert list(read_records(path)) == RECORDS
    assert path.read_bytes() == COMPLETE


@pytest.mark.parametrize("damaged", [b"{\n", b"\n", b"[1]\n", b"\xff\n", b'{"a":1}{"b":2}\n', *map(dumps, WRONG)])
def test_a_damaged_line_before_the_last_is_refused_with_its_number(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(COMPLETE + damaged + COMPLETE)
    with pytest.raises(RunError) as raised:
        list(read_records(path))
    assert str(raised.value) == f"{path}:3: expected a journal record, found something else; {DAMAGED}"
    assert path.read_bytes() == COMPLETE + damaged + COMPLETE


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"")
    assert list(read_records(path)) == []


def test_nothing_is_written_after_a_failed_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Append after a failure, which may leave an incomplete line; a line after it would make the file unreadable."""

    def full(_: int) -> None:
        raise OSError("no space left")

    async def work() -> list[str]:
        log = JournalFile(tmp_path / "log.jsonl")
        await log.append(RECORDS[0])
        monkeypatch.setattr(os, "fdatasync", full)
        messages = []
        for record in (RECORDS[1], RECORDS[1]):
            with pytest.raises(RunError) as raised:
                await log.append(record)
            messages.append(str(raised.value))
        await log.close()
        return messages

    cause = f"{tmp_path}/log.jsonl: the journal cannot be written: no space left"
    assert asyncio.run(work()) == [cause, cause]
    assert list(read_records(tmp_path / "log.jsonl")) == RECORDS
