"""Folders for the temporary files of tasks: removed at the end of the task or, if it was killed, by the next task."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

PREFIX = "task-"


@contextmanager
def task_folder(scratch: Path, name: str, keep: bool = False) -> Iterator[Path]:
    """Make an empty folder for one item of a task, and remove it at the end.

    The folder has a lock, which is released however this process ends: a locked folder is in use.

    Args:
        scratch: The folder of all tasks.
        name: The beginning of its name.
        keep: Leave the folder as it is at the end; the next task removes it.
    """
    from filelock import FileLock

    scratch.mkdir(parents=True, exist_ok=True)
    folder = scratch / f"{PREFIX}{name}-{uuid4().hex[:8]}"
    lock = _lock_file(folder)
    with FileLock(lock):  # before the folder, since any task removes folders without a lock
        try:
            folder.mkdir(mode=0o700)  # the folder of all tasks may be open to every user
            yield folder
        finally:
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)


def remove_leftovers(scratch: Path) -> None:
    """Remove the folders of killed tasks, but not those of running tasks."""
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
