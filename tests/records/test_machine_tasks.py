"""The tasks of a machine in the cache."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from genomics_pipeline.records.machine_tasks import (
    NEWEST,
    MachineTask,
    keep_machine_tasks,
    read_machine_tasks,
    tasks_file,
)

TASK = MachineTask("align", "1.0", "d1", "bam", False, 1000, 30_000, 1, 2, 5.5, 4.5, 300, {"alignment": 700})


def test_tasks_are_read_as_they_were_kept(tmp_path: Path) -> None:
    file = tasks_file(tmp_path / "cache", "EPYC, 2 cores")
    later = replace(TASK, step="call", reads_alignments=True, outputs={})
    keep_machine_tasks(file, [TASK])
    keep_machine_tasks(file, [later])
    assert read_machine_tasks(file) == [TASK, later]


def test_the_newest_of_each_step_and_size_are_kept(tmp_path: Path) -> None:
    """Many small tasks do not take the place of a large one."""
    file, large = tmp_path / "tasks.jsonl", replace(TASK, input_bytes=10**9)
    small = [replace(TASK, seconds=float(number)) for number in range(3 * NEWEST)]
    keep_machine_tasks(file, [large, *small])
    assert read_machine_tasks(file) == [large, *small[-NEWEST:]]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"seconds": 5.5', '"seconds": "5.5"'),
        ('"seconds": 5.5', '"seconds": -1'),
        ('"seconds": 5.5', '"seconds": 1e999'),
        ('"seconds": 5.5', '"seconds": NaN'),
        ('"vcpus": 2', '"vcpus": 0'),
        ('"samples": 1, ', ""),
        ('{"alignment": 700}', '{"alignment": -7}'),
        ('"step"', "step"),
        ("{", "[{"),
    ],
)
def test_a_line_in_another_form_is_as_none(tmp_path: Path, before: str, after: str) -> None:
    file, other = tmp_path / "tasks.jsonl", replace(TASK, step="call")
    keep_machine_tasks(file, [TASK, other])
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))
    assert read_machine_tasks(file) == [other]


def test_what_is_no_file_of_tasks_is_as_none_and_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "tasks.jsonl"
    os.mkfifo(file)
    assert read_machine_tasks(file) == read_machine_tasks(tmp_path / "none.jsonl") == []
    file.unlink()
    file.write_bytes(b"\xff\x00\n")
    keep_machine_tasks(file, [TASK])
    assert read_machine_tasks(file) == [TASK]
