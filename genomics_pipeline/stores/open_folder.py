"""Folders that are opened and made durably, and never through links that lead out of the folder they belong to."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.durable import READ, naming, sync_folder

FOLDER = READ | os.O_DIRECTORY
_making_folders = threading.Lock()  # a thread that finds a new folder relies on it: it waits until it is on disk


class LeadsOutside(DataError):
    """The error of a path that a link leads out of the folder that it belongs to.

    Args:
        path: The link, or the path.
        expected: The words for what belongs there.
    """

    def __init__(self, path: Path, expected: str) -> None:
        target = os.path.realpath(path)
        found = f"a symbolic link to {target}; remove the link, then run again" if path.is_symlink() else target
        super().__init__(f"{path}: expected {expected}, found {found}")


@contextmanager
def open_folder(path: Path, root: Path | None) -> Iterator[int]:
    """Open a folder, which is made if it is missing; no component below `root` is followed out of it."""
    with naming(path):
        descriptor = _descend(path, root)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _descend(path: Path, root: Path | None) -> int:
    real = Path(os.path.realpath(path))
    base = real if root is None else Path(os.path.realpath(root))
    if not real.is_relative_to(base):
        raise _leading_outside(path, root or base)
    while not base.exists():
        base = base.parent
    descriptor = os.open(base, FOLDER)
    with _making_folders:
        for name in real.relative_to(base).parts:
            try:
                inner = _open_or_make(name, descriptor)
            finally:
                os.close(descriptor)
            descriptor = inner
    return descriptor


def _open_or_make(name: str, parent: int) -> int:
    """Open a folder in an open folder; a new one is on disk. No link is followed."""
    try:
        return os.open(name, FOLDER, dir_fd=parent)
    except FileNotFoundError:
        with suppress(FileExistsError):  # another process made it
            os.mkdir(name, dir_fd=parent)
        sync_folder(parent, Path(name))
        return os.open(name, FOLDER, dir_fd=parent)


def _leading_outside(path: Path, root: Path) -> LeadsOutside:
    """Return the error of a folder outside of `root`, with its first component that leads there."""
    base = root.resolve()
    above = [folder for folder in (path, *path.parents) if folder.is_relative_to(root)]
    outside = [folder for folder in reversed(above) if not folder.resolve().is_relative_to(base)]
    return LeadsOutside((outside or [path])[0], f"a folder inside {root}")
