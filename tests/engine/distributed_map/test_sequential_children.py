"""Children without effects: while the ends of some are written, the next ones run."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from genomics_pipeline.engine import row_file
from genomics_pipeline.engine.distributed_map import sequential_children
from genomics_pipeline.engine.distributed_map.child import ChildRunner
from genomics_pipeline.engine.distributed_map.map_run_journal import ChildEnd, MapRunJournal
from genomics_pipeline.engine.journal import JournalFile
from genomics_pipeline.engine.row_file import Framing
from genomics_pipeline.stores import durable
from tests.engine.conftest import EngineHarness
from tests.patience import PATIENCE_S

MAP = {
    "Type": "Map",
    "Items": [0, 1, 2, 3, 4],
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "Pass",
        "States": {"Pass": {"Type": "Pass", "End": True}},
    },
    "End": True,
}
SUCCESS = {"name": "n", "start": 1.0, "stop": 1.0, "items": 1, "transitions": 2, "status": "SUCCEEDED"}


def test_a_child_runs_while_the_ends_before_it_are_written(
    harness: EngineHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, third, waited = Event(), Event(), []
    run, write = ChildRunner.handed_on, JournalFile._write

    def run_child(self: ChildRunner, child: Any) -> Any:
        if child.index == 2:
            waited.append(begun.wait(PATIENCE_S))
            third.set()
        return run(self, child)

    def write_later(self: JournalFile, data: bytes, attached: Any) -> None:
        if attached and not begun.is_set():
            begun.set()
            waited.append(third.wait(PATIENCE_S))
        write(self, data, attached)

    monkeypatch.setattr(sequential_children, "_CHILDREN", 2)
    monkeypatch.setattr(ChildRunner, "handed_on", run_child)
    monkeypatch.setattr(JournalFile, "_write", write_later)
    assert harness.run({"M": MAP}).output == [0, 1, 2, 3, 4]
    assert waited == [True, True]


def test_rows_in_order_do_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[int] = []
    monkeypatch.setattr(row_file, "release_cache", lambda descriptor, start: released.append(start))

    async def add() -> list[int]:
        journal = MapRunJournal(tmp_path, "uuid", Framing.of("JSONL"))
        numbers = []
        for index in (0, 2, 1, 3):
            await journal.add([ChildEnd(index, {**SUCCESS}, [b"{}"])])
            numbers.append(len(released))
        await journal.close()
        return numbers

    assert asyncio.run(add()) == [1, 2, 3, 3]  # the last one is read again, to be sorted
    assert set(released) == {64 << 20}


@pytest.mark.parametrize("is_refused", [False, True])
def test_only_the_memory_of_a_file_is_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    def advise(descriptor: int, start: int, size: int, advice: int) -> None:
        given.append((start, size, advice))
        if is_refused:
            raise OSError(22, "Invalid argument")

    given: list[tuple[int, int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", advise, raising=False)
    monkeypatch.setattr(os, "POSIX_FADV_DONTNEED", 4, raising=False)
    with (tmp_path / "f").open("wb") as file:
        durable.release_cache(file.fileno(), 5)
        monkeypatch.delattr(os, "posix_fadvise")
        durable.release_cache(file.fileno(), 6)
    assert given == [(5, 0, 4)]
