"""Folders for temporary files of tasks: gone when the task ends, and if it was killed, when the next one begins."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

PREFIX = "task-"


@contextmanager
def task_folder(scratch: Path, name: str) -> Iterator[Path]:
    """An empty folder for one item of a task; its lock, which ends with us however we end, says that it is in use.

    Args:
        scratch: Folder of all of them.
        name: What it is for.
    """
    from filelock import FileLock

    scratch.mkdir(parents=True, exist_ok=True)
    folder = scratch / f"{PREFIX}{name}-{uuid4().hex[:8]}"
    lock = _lock_file(folder)
    with FileLock(lock):  # before the folder: one without is anybody's to remove
        try:
            folder.mkdir()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)


def remove_leftovers(scratch: Path) -> None:
    """Remove what killed tasks left, and nothing of those that run."""
    from filelock import FileLock, Timeout

    for folder in scratch.glob(f"{PREFIX}*/"):
        lock = _lock_file(folder)
        try:
            with FileLock(lock, blocking=False):
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink(missing_ok=True)
        except Timeout:
            continue


def _lock_file(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")
