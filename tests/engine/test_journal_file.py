"""The files of a journal: incomplete and damaged lines, and failed writes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from genomics_pipeline.engine.journal import JournalFile, read_records
from genomics_pipeline.model.errors import RunError

COMPLETE = b'{"a":1}\n{"b":2}\n'


@pytest.mark.parametrize("incomplete", [b"", b"{", b'{"c":3}', b"[1]\n", b"\n", b"\xff\xfe", b'{"c":\n'])
def test_an_incomplete_last_line_is_removed(tmp_path: Path, incomplete: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(COMPLETE + incomplete)
    assert list(read_records(path)) == [{"a": 1}, {"b": 2}]
    assert path.read_bytes() == COMPLETE


@pytest.mark.parametrize("damaged", [b"{\n", b"\n", b"[1]\n", b"\xff\n", b'{"a":1}{"b":2}\n'])
def test_a_damaged_line_before_the_last_is_refused_with_its_number(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(COMPLETE + damaged + b'{"d":4}\n')
    with pytest.raises(RunError) as raised:
        list(read_records(path))
    assert str(raised.value) == f"{path}:3: expected a journal record, found something else; the file is damaged"
    assert path.read_bytes() == COMPLETE + damaged + b'{"d":4}\n'


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
        await log.append({"a": 1})
        monkeypatch.setattr(os, "fdatasync", full)
        messages = []
        for record in ({"b": 2}, {"c": 3}):
            with pytest.raises(RunError) as raised:
                await log.append(record)
            messages.append(str(raised.value))
        await log.close()
        return messages

    cause = f"{tmp_path}/log.jsonl: the journal cannot be written: no space left"
    assert asyncio.run(work()) == [cause, cause]
    assert list(read_records(tmp_path / "log.jsonl")) == [{"a": 1}, {"b": 2}]
