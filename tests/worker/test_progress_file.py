"""The progress of programs: what they write, how fast that is, and what is no progress."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from genomics_pipeline.model import budgets
from genomics_pipeline.model.task_progress import TaskProgress
from genomics_pipeline.worker import progress_file
from genomics_pipeline.worker.process import run_process
from genomics_pipeline.worker.progress_file import ProgressFile
from genomics_pipeline.worker.usage_file import ReportedUsage, UsageFile, read_usage


def test_the_speed_is_a_mean_over_the_last_minute(tmp_path: Path) -> None:
    file, seen, now = tmp_path / "progress.txt", list[TaskProgress](), [0.0]
    progress = ProgressFile(file, seen.append, lambda: now[0])
    for now[0], text in (
        (0.5, "1 reads"),  # not due yet
        (1.0, "100 reads 0.1\n"),
        (2.0, "half of a line"),
        (3.0, "100 reads 0.1\n"),  # unchanged
        (11.0, "600 reads 0.5"),
        (80.0, "7600 reads 0.9"),
        (85.0, "7600 reads 0.95"),  # no more reads, but work
        (90.0, "8600 reads 2"),
        (91.0, "9" * 200),
    ):
        file.write_text(text)
        progress.look()
    assert seen == [
        TaskProgress(100, "reads", 0.1, None),
        TaskProgress(600, "reads", 0.5, 50.0),
        TaskProgress(7600, "reads", 0.9, 7000 / 69),
        TaskProgress(7600, "reads", 0.95, None),
    ]


def test_a_running_program_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_file, "PERIOD_S", 0.0)
    file, go = tmp_path / "progress.txt", tmp_path / "go"

    def seen(progress: TaskProgress) -> None:
        assert (progress.done, progress.unit) == (5, "bp")
        go.touch()

    program = f"open({str(file)!r}, 'w').write('5 bp')\nimport os, signal\nsignal.alarm(30)\n"
    program += f"while not os.path.exists({str(go)!r}): pass"
    argv, log, cancelled = [sys.executable, "-c", program], tmp_path / "log.txt", threading.Event()
    progress = ProgressFile(file, seen)
    assert run_process(argv, tmp_path, log, cancelled, look=lambda _: progress.look()).exit_code == 0


def test_a_named_pipe_or_a_link_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    pipe, link, seen = tmp_path / "pipe", tmp_path / "link", list[TaskProgress]()
    os.mkfifo(pipe)
    link.symlink_to("/dev/zero")
    for file in (pipe, link):
        now = iter((0.0, 1.0))
        ProgressFile(file, seen.append, lambda now=now: next(now)).look()  # type: ignore[misc]
        assert read_usage(file) is None
    assert not seen


def test_the_usage_of_a_container_is_read_as_it_was_written(tmp_path: Path) -> None:
    file, progress = tmp_path / "usage.json", TaskProgress(5, "bp", 0.5, 2.5)
    assert read_usage(file) is None
    usage = UsageFile(file)
    usage.report_memory(123)
    assert read_usage(file) == ReportedUsage(123)
    usage.report_progress(progress)
    usage.report_reading(0.25)
    assert read_usage(file) == ReportedUsage(123, progress, 0.25)
    file.write_text('{"memory_mib": 1')
    assert read_usage(file) is None
    file.write_text('{"memory_mib": 1, "progress": null}' + " " * budgets.USAGE_SIZE.value)
    assert read_usage(file) is None
    UsageFile(None).report_memory(1)
