"""The one way to write a file that means something: it is whole and on disk, or the one before is still there.

A file is written beside its target under a temporary name, fsynced and renamed, and the folder is fsynced, so that
after a power cut whatever relies on the file finds it whole. The temporary file is exclusive: it is created, never
opened, and locked while its writer lives. What a killed writer left is removed when the same file is written next, and
a second writer of the same file waits for the first.

No link is followed that somebody else may have planted: a link in the place of the target is replaced, and folders
below `root`, the folder that the caller may write to, must not be links that lead out of it. `root` itself may be
reached through links.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from genomics_pipeline.stores.durable import at_once, naming, naming_full, sync_path
from genomics_pipeline.stores.open_folder import OpenFolders, open_own_file
from genomics_pipeline.stores.temporary_file import (
    remove_empty_folder,
    rename_over,
    take_free_place,
    take_place,
    temporary_file,
    temporary_folder,
)

_COPIED = frozenset({errno.EXDEV, errno.ELOOP})  # another file system; a link, whose target is what is meant
_APPEND = os.O_WRONLY | os.O_APPEND


def publish_bytes(path: Path, data: bytes, root: Path | None = None) -> None:
    """Write a file, in place of the one that was there; new folders are made.

    Args:
        path: The file.
        data: Its content.
        root: The folder that the file must not leave through links; None for a path that the user gave.

    Raises:
        LeadsOutside: if a folder below `root` is a link that leads out of it.
    """
    with publishing(path, root) as file, naming(path):
        file.write(data)


def publish_new(path: Path, data: bytes, root: Path | None = None) -> bool:
    """Write a file unless there is one, and return whether it was written: of many writers, one succeeds.

    Args:
        path: The file.
        data: Its content.
        root: See `publish_bytes`.

    Raises:
        LeadsOutside: see `publish_bytes`.
    """
    with OpenFolders() as folders, naming(path):
        folder = folders.open(path.parent, root)
        try:
            with temporary_file(folder, path) as file:  # one writer at a time
                if os.path.lexists(path):
                    raise FileExistsError(path)
                file.write(data)
                take_free_place(file, path, folder)
        except FileExistsError:
            return False
        folders.sync()
    return True


@contextmanager
def publishing(path: Path, root: Path | None = None) -> Iterator[BinaryIO]:
    """Open a file that takes its place when the block succeeds, and is removed when it fails.

    Args:
        path: The file.
        root: See `publish_bytes`.

    Raises:
        LeadsOutside: see `publish_bytes`.
    """
    with OpenFolders() as folders:
        folder = folders.open(path.parent, root)
        with temporary_file(folder, path) as file:
            with naming_full(path):
                yield file
            with naming(path):
                take_place(file, path, folder)
        folders.sync()


def publish_file(source: Path, target: Path, root: Path | None = None) -> None:
    """Move a complete file to its target; see `publish_files`."""
    publish_files([(source, target)], root)


def publish_files(moves: Sequence[tuple[Path, Path]], root: Path | None = None) -> None:
    """Move complete files to their targets, in this order; all are on disk before the first is visible.

    Args:
        moves: The files and their targets. A file of another file system is copied, and so is what a link leads to.
        root: The folder that the targets must not leave through links; None for paths that the user gave.

    Raises:
        LeadsOutside: see `publish_bytes`.
    """
    with OpenFolders() as folders:
        for _, target in moves:
            folders.open(target.parent, root)
        at_once(_sync_source, [source for source, _ in moves])
        for source, target in moves:
            _move(source, target, folders.open(target.parent, root))
        folders.sync()


@contextmanager
def publishing_folder(path: Path) -> Iterator[Path]:
    """Make a folder that takes its place when the block succeeds, and is removed when it fails.

    Args:
        path: The folder, which must be missing or empty when the block ends.
    """
    with OpenFolders() as folders:
        parent = folders.open(path.parent)
        with temporary_folder(parent, path) as part:
            yield part
            at_once(sync_path, [part, *(file for file in part.rglob("*") if not file.is_symlink())])
            with naming(path):
                os.rename(part.name, path.name, src_dir_fd=parent, dst_dir_fd=parent)
        folders.sync()


def make_folders(path: Path, root: Path | None = None) -> None:
    """Make a folder and those above it that are missing, each of them on disk.

    Args:
        path: The folder.
        root: See `publish_bytes`.

    Raises:
        LeadsOutside: see `publish_bytes`.
    """
    with OpenFolders() as folders:
        folders.open(path, root)
        folders.sync_new()


def remove(path: Path, root: Path | None = None) -> None:
    """Remove a file, if there is one, so that it does not come back after a power cut.

    Args:
        path: The file; a link in its place is removed, not followed, and so is an empty folder.
        root: See `publish_bytes`.

    Raises:
        LeadsOutside: see `publish_bytes`.
    """
    with OpenFolders() as folders, naming(path), suppress(FileNotFoundError):
        folder = folders.open(path.parent, root)
        try:
            os.unlink(path.name, dir_fd=folder)
        except IsADirectoryError:
            remove_empty_folder(path.name, folder)
        folders.sync()


def open_appending(path: Path, root: Path | None = None) -> BinaryIO:
    """Open a file to append to it; it is created if it is missing. `durable` has the functions that put it on disk.

    Args:
        path: The file. If it has a second name elsewhere, it is replaced by a copy of its own, which is appended to.
        root: See `publish_bytes`.

    Raises:
        LeadsOutside: see `publish_bytes`; also for a symbolic link in the place of the file.
    """
    descriptor = open_own_file(path, root, _APPEND)
    if os.fstat(descriptor).st_nlink > 1:
        os.close(descriptor)
        with publishing(path, root) as copy, path.open("rb") as content:
            shutil.copyfileobj(content, copy, 1 << 20)
        descriptor = open_own_file(path, root, _APPEND)
    return os.fdopen(descriptor, "ab")


def truncate_file(path: Path, size: int) -> None:
    """Cut a file of lines before its incomplete last line.

    Args:
        path: The file; see `open_appending` for links in its place.
        size: The new size in bytes.

    Raises:
        LeadsOutside: for a symbolic link in the place of the file.
    """
    with open_appending(path) as file:
        os.ftruncate(file.fileno(), size)


def _sync_source(source: Path) -> None:
    """Make a file durable before it is moved; what a link leads to is copied, and the copy is made durable."""
    try:
        sync_path(source)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise


def _move(source: Path, target: Path, folder: int) -> None:
    """Move a durable file to a target in an open folder."""
    try:
        if source.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(source))
        rename_over(source, None, target.name, folder)
    except OSError as error:
        if error.errno not in _COPIED:
            raise OSError(error.errno, error.strerror, str(target)) from None
        with temporary_file(folder, target) as file, naming(target):
            with source.open("rb") as content:
                shutil.copyfileobj(content, file, 1 << 20)
            take_place(file, target, folder)
        source.unlink()
