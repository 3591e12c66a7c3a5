"""Processes that a killed run left in its folder for temporary files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genomics_pipeline.runs.leftovers import end_leftovers
from genomics_pipeline.runs.run_folder import RunFolder


@contextmanager
def idle_process(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that waits in a folder, and give it once it is there."""
    code = "import sys; print(flush=True); sys.stdin.read()"
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Wait for the end of an idle process, which psutil has reaped."""
    assert process.stdout
    return process.stdout.read() == b""


def test_processes_below_the_folder_are_killed_and_no_others(tmp_path: Path) -> None:
    inside, beside = tmp_path / "scratch" / "task-1" / "tmp", tmp_path / "scratch-of-another"
    inside.mkdir(parents=True)
    beside.mkdir()
    with idle_process(inside) as left, idle_process(beside) as other:
        assert end_leftovers(tmp_path / "scratch")
        assert has_ended(left)
        assert other.poll() is None
        assert not end_leftovers(tmp_path / "scratch")


def test_no_folder_no_leftovers(tmp_path: Path) -> None:
    assert not end_leftovers(tmp_path / "none")


def test_whoever_takes_the_lock_of_a_run_ends_what_was_left(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    (folder.scratch / "task-1").mkdir(parents=True)
    notes: list[str] = []
    with idle_process(folder.scratch / "task-1") as left, folder.lock(notes.append):
        assert has_ended(left)
        assert notes == ["ended the processes that a killed run had left behind"]
