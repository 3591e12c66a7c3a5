"""The progress that programs write."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from common.forks import run
from common.progress import Progress


def test_a_line_is_written_at_most_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, now = tmp_path / "progress.txt", [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    counted = Progress({"progress": str(file)}, "reads")
    for now[0], number, share, expected in (
        (100.0, 5, None, "5 reads\n"),
        (100.9, 5, 0.5, "5 reads\n"),
        (101.0, 5, 0.75, "15 reads 0.750000\n"),
    ):
        counted.add(number, share)
        assert file.read_text() == expected


@pytest.mark.parametrize("task", [{}, {"progress": "/nowhere/at/all"}])
def test_without_a_file_the_work_goes_on(task: dict[str, Any]) -> None:
    Progress(task, "bp").add(1, 1.0)


def test_the_end_of_each_job_is_reported() -> None:
    ended: list[int] = []
    run([lambda: None] * 5, 2, ended.append)
    assert sorted(ended) == list(range(5))
