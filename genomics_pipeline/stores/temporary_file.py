"""Temporary files and folders beside their targets: exclusive, locked while their writer lives, and never litter."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from genomics_pipeline.stores.durable import naming, sync
from genomics_pipeline.stores.open_folder import FOLDER

_NAME_BYTES = 255  # NAME_MAX of nearly all file systems
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FILLED = "expected a file, found a folder that is not empty; move or remove it, then run again"
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})  # of file systems without second names
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EBADF})  # on some network file systems


def is_temporary(path: Path) -> bool:
    """Return whether a file is one that is being written, or that a killed writer left.

    >>> is_temporary(Path("run/.a.bam.part")), is_temporary(Path("run/a.part"))
    (True, False)
    """
    return path.name.startswith(".") and path.name.endswith(".part")


def _temporary_name(path: Path) -> str:
    """Return the name of the temporary file for a target, the same for every writer of the target.

    >>> _temporary_name(Path("run/a.bam")), len(_temporary_name(Path("a" * 255)))
    ('.a.bam.part', 70)
    """
    name = f".{path.name}.part"
    return name if len(os.fsencode(name)) <= _NAME_BYTES else f".{sha256(os.fsencode(path.name)).hexdigest()}.part"


@contextmanager
def temporary_file(folder: int, path: Path) -> Iterator[BinaryIO]:
    """Create, lock and open the temporary file of a target; remove it unless the block renamed it."""
    name = _temporary_name(path)
    with naming(path):
        descriptor = _claim(folder, name, lambda: os.open(name, _CREATE, 0o666, dir_fd=folder))
    file = os.fdopen(descriptor, "wb")
    try:
        yield file
    except BaseException:
        if _is_at(descriptor, folder, name):
            os.unlink(name, dir_fd=folder)
        with suppress(OSError):  # of the bytes that could not be written
            file.close()
        raise
    file.close()


@contextmanager
def temporary_folder(parent: int, path: Path) -> Iterator[Path]:
    """Create and lock the temporary folder of a target; remove it unless the block renamed it."""
    name = _temporary_name(path)

    def create() -> int:
        os.mkdir(name, dir_fd=parent)
        return os.open(name, FOLDER, dir_fd=parent)

    with naming(path):
        descriptor = _claim(parent, name, create)
    try:
        yield path.parent / name
    except BaseException:
        if _is_at(descriptor, parent, name):
            shutil.rmtree(name, ignore_errors=True, dir_fd=parent)
        raise
    finally:
        os.close(descriptor)


def _claim(folder: int, name: str, create: Callable[[], int]) -> int:
    """Create and lock a temporary file or folder; one that a killed writer left is removed before.

    Args:
        folder: The open folder.
        name: The name in it.
        create: Creates it and returns its descriptor, or raises `FileExistsError`.
    """
    while True:
        try:
            descriptor = create()
        except FileExistsError:
            _remove_leftover(folder, name)
            continue
        _lock(descriptor)
        if _is_at(descriptor, folder, name):
            return descriptor
        os.close(descriptor)  # another writer took it for a leftover before it was locked


def _remove_leftover(folder: int, name: str) -> None:
    """Wait for the writer of a temporary file or folder, if it lives, and remove what it left."""
    with suppress(FileNotFoundError):
        descriptor = _open_leftover(folder, name)
        if descriptor is None:
            os.unlink(name, dir_fd=folder)
            return
        try:
            _lock(descriptor)
            if not _is_at(descriptor, folder, name):
                return
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                shutil.rmtree(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)
        finally:
            os.close(descriptor)


def _open_leftover(folder: int, name: str) -> int | None:
    """Open a temporary file or folder to lock it; None for a link, and for a file of somebody else's."""
    flags = os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(name, flags | os.O_RDWR, dir_fd=folder)
    except IsADirectoryError:
        return os.open(name, flags | os.O_RDONLY, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EACCES, errno.ENXIO):
            return None
        raise


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _is_at(descriptor: int, folder: int, name: str) -> bool:
    """Return whether an open file is the one of that name."""
    try:
        there = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))


def take_place(file: BinaryIO, target: Path, folder: int) -> None:
    """Make a temporary file durable and move it to its target in an open folder."""
    file.flush()
    sync(file.fileno())
    name = _temporary_name(target)
    if not _is_at(file.fileno(), folder, name):  # only without locks
        raise OSError(errno.EBUSY, "another process is writing the same file")
    rename_over(name, folder, target.name, folder)


def take_free_place(file: BinaryIO, target: Path, folder: int) -> None:
    """Make a temporary file durable and give it its target's name in an open folder, unless there is such a file.

    A second name is given to one writer only, also on a file system that keeps no locks.

    Raises:
        FileExistsError: if there is one, or another process is writing it.
    """
    file.flush()
    sync(file.fileno())
    name = _temporary_name(target)
    if not _is_at(file.fileno(), folder, name):  # only without locks
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    try:
        os.link(name, target.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        take_place(file, target, folder)
    else:
        os.unlink(name, dir_fd=folder)


def rename_over(name: str | Path, from_folder: int | None, target: str, folder: int) -> None:
    """Move a file to a target in an open folder, also over an empty folder of that name.

    Args:
        name: The file.
        from_folder: The open folder that it is in; None for a path.
        target: The target's name.
        folder: The open folder of the target.
    """
    try:
        os.rename(name, target, src_dir_fd=from_folder, dst_dir_fd=folder)
    except IsADirectoryError:
        remove_empty_folder(target, folder)
        os.rename(name, target, src_dir_fd=from_folder, dst_dir_fd=folder)


def remove_empty_folder(name: str, folder: int) -> None:
    """Remove an empty folder, which is in the place of a file, from an open folder.

    Raises:
        OSError: if it is not empty.
    """
    try:
        os.rmdir(name, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:
            raise OSError(error.errno, _FILLED) from None
        raise
