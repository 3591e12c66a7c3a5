"""The calls that decide what a power cut leaves: recorded in their order, with the files they are about."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FileId = tuple[int, int]  # device and inode


@dataclass(frozen=True)
class DiskCall:
    """One call.

    Attributes:
        kind: ``sync``, ``rename``, ``make`` (a folder), ``remove``, or one that a test adds.
        file: The file that was synced, renamed or removed.
        name: Its new name.
        folder: The folder of that name.
        thread: The thread.
    """

    kind: str
    file: FileId | None = None
    name: str = ""
    folder: FileId | None = None
    thread: int = 0


class DiskCalls:
    """The calls since the recording began."""

    def __init__(self) -> None:
        self.all: list[DiskCall] = []

    def add(self, kind: str, file: FileId | None = None, name: str = "", folder: FileId | None = None) -> None:
        self.all.append(DiskCall(kind, file, name, folder, threading.get_ident()))

    def unsafe(self, thread: int | None = None) -> list[str]:
        """Return what a power cut after the last call, or between them, may take back or leave empty.

        A file must be synced before it is renamed, a folder after a name in it has changed: before the same thread
        writes a record, and at the end.
        """
        problems: list[str] = []
        synced: set[FileId | None] = set()
        pending: dict[tuple[int, FileId | None], str] = {}
        for call in self.all:
            if call.kind == "sync":
                synced.add(call.file)
                pending = {key: name for key, name in pending.items() if key[1] != call.file}
                continue
            if call.kind == "rename" and call.file not in synced:
                problems.append(f"{call.name} is renamed before it is synced")
            if call.kind == "remove":
                synced.discard(call.file)  # another file may get its inode
            if call.kind not in ("rename", "make"):
                continue
            if call.name in ("step.json", "run.json"):
                problems += [
                    f"{call.name} is written before the folder of {name} is synced"
                    for (owner, _), name in pending.items()
                    if owner == call.thread
                ]
            pending[call.thread, call.folder] = call.name
        return problems + [f"the folder of {name} is not synced" for name in pending.values()]


def record_disk_calls(monkeypatch: pytest.MonkeyPatch, below: Path, apart_from: Collection[str] = ()) -> DiskCalls:
    """Record the calls that this process makes, in any of Python's ways.

    Args:
        monkeypatch: Ends the recording.
        below: The folder whose names count.
        apart_from: Names of folders in it that do not count.
    """
    calls = DiskCalls()
    root = below.resolve()

    def counts(path: Path) -> bool:
        return path.is_relative_to(root) and set(path.relative_to(root).parts).isdisjoint(apart_from)

    def syncing(plain: Callable[[int], None]) -> Callable[[int], None]:
        def call(descriptor: int) -> None:
            plain(descriptor)
            calls.add("sync", _identify(descriptor))

        return call

    def renaming(plain: Callable[..., None]) -> Callable[..., None]:
        def call(source: Any, target: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
            file, folder = _identify(source, src_dir_fd), _folder(target, dst_dir_fd)
            plain(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
            if counts(folder / Path(target).name):
                calls.add("rename", file, Path(target).name, _identify(folder))

        return call

    def naming(kind: str, plain: Callable[..., None]) -> Callable[..., None]:
        def call(path: Any, *arguments: int, dir_fd: int | None = None) -> None:
            folder = _folder(path, dir_fd)
            file = _identify(path, dir_fd) if kind == "remove" else None
            plain(path, *arguments, dir_fd=dir_fd)
            if counts(folder / Path(path).name):
                calls.add(kind, file, Path(path).name, _identify(folder))

        return call

    for name in filter(lambda name: hasattr(os, name), ("fsync", "fdatasync")):
        monkeypatch.setattr(os, name, syncing(getattr(os, name)))
    for name in ("rename", "replace"):
        monkeypatch.setattr(os, name, renaming(getattr(os, name)))
    monkeypatch.setattr(os, "mkdir", naming("make", os.mkdir))
    monkeypatch.setattr(os, "unlink", naming("remove", os.unlink))
    return calls


def _identify(path: Any, folder: int | None = None) -> FileId:
    status = os.fstat(path) if isinstance(path, int) else os.lstat(path, dir_fd=folder)
    return status.st_dev, status.st_ino


def _folder(path: Any, folder: int | None) -> Path:
    """Return the folder of a name, of which a call has a path, or a name and the descriptor of the folder."""
    if folder is None:
        return Path(path).absolute().parent.resolve()
    return Path(f"/proc/self/fd/{folder}").readlink()
