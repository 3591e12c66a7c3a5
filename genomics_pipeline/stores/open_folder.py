"""Folders that are opened and made durably, and never through links that lead out of the folder they belong to."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, Self

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.durable import READ, at_once, naming, sync_folder
from genomics_pipeline.stores.protocol import ForbiddenFile, IrregularFile

_FOLDER_FOUND = "expected a file, found a folder; move or remove it, then run again"
FOLDER = READ | os.O_DIRECTORY
FOLDER_TO_PASS = FOLDER | getattr(os, "O_PATH", 0)  # which need not be readable
_unsynced: set[Path] = set()  # new folders whose names are not on disk yet; a thread that finds one syncs it, too
_making_folders = threading.Lock()


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
    if may_have_links(path, root) and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise _leading_outside(path, root)


def may_have_links(path: Path, root: Path) -> bool:
    """Return whether a link may be in a path below a folder, which is known in less time than the real path."""
    place, text = str(root), str(path)
    names = text[len(place) :].split("/")[1:]
    if not names or ".." in names or text != "/".join((place, *names)):
        return True
    for name in names:
        place = f"{place}/{name}"
        if os.path.islink(place):  # noqa: PTH114
            return True
    return False


class OpenFolders:
    """Folders that are open to write into them; they and new folders above them are put on disk together."""

    def __init__(self) -> None:
        self._opened: dict[Path, int] = {}
        self._parents: dict[Path, int] = {}  # of new folders, by the new folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def open(self, path: Path, root: Path | None = None) -> int:
        """Open a folder, which is made if it is missing, and return its descriptor.

        Args:
            path: The folder.
            root: The folder that it must not leave through links; None for a path that the user gave.

        Raises:
            LeadsOutside: if a folder below `root` is a link that leads out of it.
        """
        if path not in self._opened:
            with naming(path):
                self._opened[path] = self._descend(path, root)
        return self._opened[path]

    def _descend(self, path: Path, root: Path | None) -> int:
        real = Path(os.path.realpath(path))
        base = real if root is None else Path(os.path.realpath(root))
        refuse_leading_out(path, root or base)
        while not base.exists():
            base = base.parent
        descriptor = self._keep(os.open(base, FOLDER))
        for name in real.relative_to(base).parts:
            base /= name
            inner, is_new = _open_or_make(base, descriptor)
            if is_new:
                self._parents[base] = descriptor
            descriptor = self._keep(inner)
        return descriptor

    def _keep(self, descriptor: int) -> int:
        self._stack.callback(os.close, descriptor)
        return descriptor

    def sync_new(self) -> None:
        """Put the names of new folders on disk."""
        self._sync({folder.parent: parent for folder, parent in self._parents.items()})

    def sync(self) -> None:
        """Put the names in all open folders on disk, and those of new folders."""
        self._sync({folder.parent: parent for folder, parent in self._parents.items()} | self._opened)

    def _sync(self, folders: Mapping[Path, int]) -> None:
        at_once(lambda each: sync_folder(each[1], each[0]), folders.items())
        _unsynced.difference_update(self._parents)


def _open_or_make(folder: Path, parent: int) -> tuple[int, bool]:
    """Open a folder in an open folder, and return whether its name may not be on disk yet. No link is followed."""
    try:
        descriptor = os.open(folder.name, FOLDER, dir_fd=parent)
        with _making_folders:
            return descriptor, folder in _unsynced
    except NotADirectoryError as error:
        problem = f"expected a folder, found a file or a link at {folder}; move or remove it, then run again"
        raise NotADirectoryError(error.errno, problem, str(folder)) from None
    except FileNotFoundError:
        with _making_folders, suppress(FileExistsError):  # another process made it
            os.mkdir(folder.name, dir_fd=parent)
            _unsynced.add(folder)
        return os.open(folder.name, FOLDER, dir_fd=parent), True


def open_own_file(path: Path, root: Path | None, flags: int) -> int:
    """Open a file of a run, which is created where it is missing, and return its descriptor.

    Args:
        path: The file.
        root: See `OpenFolders.open`.
        flags: How to open it: ``os.O_RDWR`` and others.

    Raises:
        LeadsOutside: for a symbolic link in its place; also see `OpenFolders.open`.
    """
    with OpenFolders() as folders, naming(path):
        folder = folders.open(path.parent, root)
        folders.sync_new()
        return _open_regular(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, folder)


def open_inner_file(path: Path, root: Path) -> BinaryIO:
    """Open a file below a folder to read it. Another process may plant links meanwhile: none is followed out of it.

    Args:
        path: The file.
        root: The folder.

    Raises:
        LeadsOutside: if links lead out of the folder.
        IrregularFile: for a named pipe, a socket or a device.
        ForbiddenFile: if this process may not open it.
        OSError: if it cannot be opened, such as where there is none.
    """
    refuse_leading_out(path, root)
    base = os.path.realpath(root)
    *folders, name = Path(os.path.realpath(path)).relative_to(base).parts or ("",)
    with naming(path), ExitStack() as stack:
        folder = os.open(base, FOLDER_TO_PASS)
        stack.callback(os.close, folder)
        for each in folders:
            try:
                folder = os.open(each, FOLDER_TO_PASS, dir_fd=folder)
            except PermissionError as error:
                raise ForbiddenFile(path, error) from None
            stack.callback(os.close, folder)
        return os.fdopen(_open_regular(path, READ, folder, name), "rb")


def open_unlinked_file(path: Path) -> BinaryIO:
    """Open a file of a run to read it, by a path whose folder is known to be inside of the run.

    Raises:
        LeadsOutside: for a symbolic link in its place.
        IrregularFile: see `open_inner_file`.
        OSError: see `open_inner_file`.
    """
    return os.fdopen(_open_regular(path, READ), "rb")


def _open_regular(path: Path, flags: int, folder: int | None = None, name: str | None = None) -> int:
    """Open a regular file, and never wait for the other end of a pipe.

    Args:
        path: The file.
        flags: How to open it.
        folder: The open folder that it is in; None for a path.
        name: Its name in the folder; None for that of the path.
    """
    where = path if folder is None else path.name if name is None else name
    try:
        descriptor = os.open(where, flags | os.O_NONBLOCK, 0o666, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise LeadsOutside(path, "a file") from None
        if error.errno == errno.ENXIO:  # a socket, or a pipe that nobody reads
            raise IrregularFile(path) from None
        if isinstance(error, PermissionError):
            raise ForbiddenFile(path, error) from None
        if isinstance(error, IsADirectoryError):
            raise IsADirectoryError(error.errno, _FOLDER_FOUND, str(path)) from None
        raise
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise IrregularFile(path)


def _leading_outside(path: Path, root: Path) -> LeadsOutside:
    """Return the error of a file or folder outside of `root`, with its first component that leads there."""
    base = os.path.realpath(root)
    above = [folder for folder in (path, *path.parents) if folder.is_relative_to(root)]
    outside = [folder for folder in reversed(above) if not Path(os.path.realpath(folder)).is_relative_to(base)]
    first = (outside or [path])[0]
    return LeadsOutside(first, f"a {'folder' if first.is_dir() else 'file'} inside {root}")
