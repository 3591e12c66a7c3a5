"""Durability of files, and of the names of files in folders: a power cut does not take them back."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
THREADS = 8
READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_FSYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EROFS})  # of folders, on some network file systems


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the whole path in an error of the system, which knows only the file's name."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def naming_full(path: Path) -> Iterator[None]:
    """Name the file in the error of a write to it that finds no room: such an error has no name.

    Other errors within the block may be about other files, such as the one that is copied.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def sync(descriptor: int) -> None:
    """Make a file durable: its content, its size and, for a folder, its names.

    fsync(2) of macOS leaves them in the cache of the drive, hence F_FULLFSYNC.
    """
    if sys.platform == "darwin":
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def sync_data(descriptor: int) -> None:
    """Make the content of a file and its size durable, which after an append is less work than `sync`."""
    if sys.platform == "darwin":  # has no fdatasync
        sync(descriptor)
    else:
        os.fdatasync(descriptor)


def release_cache(descriptor: int, start: int) -> None:
    """Let the system use the memory that caches a file for other things, from an offset of what is on disk.

    Memory that the system has not used before is slow to get, above all in a virtual machine.
    """
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):  # a file system without it
            os.posix_fadvise(descriptor, start, 0, os.POSIX_FADV_DONTNEED)


def sync_folder(descriptor: int, path: Path) -> None:
    """Make the names in an open folder durable, where its file system can.

    Args:
        descriptor: The descriptor of the folder.
        path: The folder, for the message of an error.
    """
    try:
        with naming(path):
            sync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FSYNC:
            raise


def at_once(function: Callable[[T], None], values: Collection[T]) -> None:
    """Call a function that syncs with each value, in threads: the disk does together what is asked for together.

    Raises:
        OSError: the first error, after all calls have ended.
    """
    if len(values) < 2:
        for value in values:
            function(value)
        return
    with ThreadPoolExecutor(min(len(values), THREADS)) as pool:
        for _ in pool.map(function, values):
            pass


def sync_names(folder: Path) -> None:
    """Make the names in a folder durable; the folder may be reached through a link."""
    with naming(folder):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        try:
            sync_folder(descriptor, folder)
        finally:
            os.close(descriptor)


def sync_path(path: Path) -> None:
    """Make a file or a folder durable by its path."""
    with naming(path):
        descriptor = os.open(path, READ)
        try:
            sync_folder(descriptor, path) if stat.S_ISDIR(os.fstat(descriptor).st_mode) else sync(descriptor)
        finally:
            os.close(descriptor)
