"""Many looks at the files of one folder of this machine: each folder in it is opened once, and no link is followed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from threading import Lock
from weakref import finalize

from genomics_pipeline.model import budgets
from genomics_pipeline.stores.durable import READ
from genomics_pipeline.stores.open_folder import FOLDER_TO_PASS
from genomics_pipeline.stores.protocol import ObjectInfo, ObjectReader, Store, file_info

OPEN_FOLDERS = 48  # folders that are open at a time; those of one sample are looked at one after another


class HeldFolders(ObjectReader):
    """A store's objects; for those in one folder of this machine, a look costs one call of the system.

    What is no plain file in plain folders, such as a link, a pipe or a file that is missing, is left to the store,
    which knows what to say. A folder that is moved to elsewhere meanwhile is looked at where it is then.

    Args:
        store: The store.
        prefix: The URI of the folder, which ends in a slash.
        root: The folder.
    """

    def __init__(self, store: Store, prefix: str, root: Path) -> None:
        self._store, self._prefix, self._root = store, prefix, root.absolute()
        self._held: dict[str, int] = {}
        self._lock = Lock()
        finalize(self, _close_all, self._held)

    def stat(self, uri: str) -> ObjectInfo | None:
        """Return the object without its content; None if there is none."""
        if uri.startswith(self._prefix):
            try:
                with self._lock:
                    folder, name = self._place(uri)
                    status = os.stat(name, dir_fd=folder, follow_symlinks=False)  # in an open folder
            except (OSError, ValueError):
                return self._store.stat(uri)
            if S_ISREG(status.st_mode):
                return file_info(uri, status)
        return self._store.stat(uri)

    def read(self, uri: str) -> bytes:
        """Return an object's whole content."""
        if uri.startswith(self._prefix):
            with suppress(OSError, ValueError), self._lock:
                folder, name = self._place(uri)
                data = _content(name, folder)
                if data is not None:
                    return data
        return self._store.read(uri)

    def local(self, uri: str) -> Path | None:
        """Return an object's path on this machine; None if it is stored elsewhere."""
        name = uri.removeprefix(self._prefix)
        if name == uri or "\0" in name or {"", ".", ".."}.intersection(name.split("/")):
            return self._store.local(uri)
        return self._root / name

    def _place(self, uri: str) -> tuple[int, str]:
        """Return the open folder of a file, and its name there.

        Raises:
            ValueError: for a key that may lead elsewhere.
            OSError: where a folder is none, or a link, or cannot be opened.
        """
        key = uri[len(self._prefix) :]
        folder, _, name = key.rpartition("/")
        if key.startswith("/"):
            raise ValueError(key)
        held = self._held.get(folder)
        return self._open(folder) if held is None else held, _plain(name)

    def _open(self, folder: str) -> int:
        if (found := self._held.pop(folder, None)) is not None:
            self._held[folder] = found  # the last to be closed: other folders are opened in it
            return found
        if folder:
            above, _, name = folder.rpartition("/")
            opened = os.open(_plain(name), FOLDER_TO_PASS, dir_fd=self._open(above))
        else:
            opened = os.open(os.path.realpath(self._root), FOLDER_TO_PASS)
        if len(self._held) >= OPEN_FOLDERS:
            os.close(self._held.pop(next(iter(self._held))))
        self._held[folder] = opened
        return opened


def _plain(name: str) -> str:
    """Return a name that leads nowhere else.

    Raises:
        ValueError: for any other one.
    """
    if name in ("", ".", ".."):
        raise ValueError(name)
    return name


def _content(name: str, folder: int) -> bytes | None:
    """Return the content of a file; None for what is no file, is too large, or is being written."""
    descriptor = os.open(name, READ | os.O_NONBLOCK, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode) or status.st_size > budgets.RECORD_SIZE.value:
            return None
        data = os.read(descriptor, status.st_size + 1)
        return data if len(data) == status.st_size else None
    finally:
        os.close(descriptor)


def _close_all(held: dict[str, int]) -> None:
    for descriptor in held.values():
        os.close(descriptor)
