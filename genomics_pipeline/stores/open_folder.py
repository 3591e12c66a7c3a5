"""Folders that are opened and made durably, and never through links that lead out of the folder they belong to."""

from __future__ import annotations

import errno
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


def refuse_leading_out(path: Path, root: Path) -> None:
    """Refuse a path below a folder, from which links lead out of it.

    Raises:
        LeadsOutside: for such a path.
    """
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise _leading_outside(path, root)


def open_own_file(path: Path, root: Path | None, flags: int) -> int:
    """Open a file of a run, which is created where it is missing, and return its descriptor.

    Args:
        path: The file.
        root: See `open_folder`.
        flags: How to open it: ``os.O_RDWR`` and others.

    Raises:
        LeadsOutside: for a symbolic link in its place; also see `open_folder`.
    """
    with open_folder(path.parent, root) as folder, naming(path):
        try:
            return os.open(path.name, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=folder)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise LeadsOutside(path, "a file") from None
            raise


@contextmanager
def open_folder(path: Path, root: Path | None) -> Iterator[int]:
    """Open a folder, which is made if it is missing.

    Args:
        path: The folder.
        root: The folder that it must not leave through links; None for a path that the user gave.

    Raises:
        LeadsOutside: if a folder below `root` is a link that leads out of it.
    """
    with naming(path):
        descriptor = _descend(path, root)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _descend(path: Path, root: Path | None) -> int:
    real = Path(os.path.realpath(path))
    base = real if root is None else Path(os.path.realpath(root))
    refuse_leading_out(path, root or base)
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
