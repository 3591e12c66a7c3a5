"""Folders for temporary files, which are removed however their task ends."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from genomics_pipeline.worker.scratch import remove_leftovers, task_folder

KILLED = """
import sys, time
from pathlib import Path
from genomics_pipeline.worker.scratch import task_folder
with task_folder(Path(sys.argv[1]), "x-1") as folder:
    (folder / "big.bam").write_text("reads")
    print("ready", flush=True)
    time.sleep(600)
"""


def names(scratch: Path) -> list[str]:
    return sorted(path.name for path in scratch.iterdir())


def test_the_folder_is_removed_at_the_end(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        assert folder.name.startswith("task-align-a-")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700  # also in a folder that is open to every user
        (folder / "deep").mkdir()
        (folder / "deep/file").write_text("")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), task_folder(tmp_path / "scratch", "align-a") as folder:
        fail(folder)
    assert names(tmp_path / "scratch") == []


def test_folders_of_killed_tasks_are_removed_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "task-old-1").mkdir()  # without a lock
    argv = [sys.executable, "-c", KILLED, str(tmp_path)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    with task_folder(tmp_path, "here") as here:
        remove_leftovers(tmp_path)
        running = [path for path in tmp_path.iterdir() if path.name.startswith("task-")]
        assert len(running) == 2
        assert here in running
        process.kill()
        process.communicate()
        remove_leftovers(tmp_path)
        assert names(tmp_path) == sorted([f".{here.name}.lock", "cache", here.name])
    assert names(tmp_path) == ["cache"]


def test_a_missing_scratch_folder_is_not_created(tmp_path: Path) -> None:
    remove_leftovers(tmp_path / "none")
    assert not (tmp_path / "none").exists()
