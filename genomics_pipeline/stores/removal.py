"""Removal of files and folders from an open folder: no link is followed, and none that is planted meanwhile either."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.stores.durable import naming
from genomics_pipeline.stores.open_folder import LeadsOutside


@dataclass(frozen=True, slots=True)
class TreeSize:
    """The files below a folder; a link counts as a file of the length of its target's name.

    Attributes:
        files: The number of files.
        size_bytes: The size of their contents.
    """

    files: int = 0
    size_bytes: int = 0

    def __add__(self, other: TreeSize) -> TreeSize:
        return TreeSize(self.files + other.files, self.size_bytes + other.size_bytes)


def entry_size(name: str, folder: int) -> TreeSize:
    """Return the files of an entry of an open folder: itself, or all below it.

    Args:
        name: The name of the entry.
        folder: The descriptor of the folder.
    """
    state = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISDIR(state.st_mode):
        return TreeSize(1, state.st_size)
    return sum(_sizes(name, folder), TreeSize())


def _sizes(name: str, folder: int) -> Iterator[TreeSize]:
    for _, links, names, below in os.fwalk(name, dir_fd=folder, follow_symlinks=False):
        for one in (*links, *names):
            state = os.stat(one, dir_fd=below, follow_symlinks=False)
            if not stat.S_ISDIR(state.st_mode):
                yield TreeSize(1, state.st_size)


def remove_entry(path: Path, folder: int) -> None:
    """Remove a file, a link or a folder with all below it.

    Args:
        path: The entry, for the message of an error.
        folder: The descriptor of the folder that it is in.

    Raises:
        LeadsOutside: for a link that was put in the place of the folder meanwhile.
        OSError: if it cannot be removed; what was removed stays so.
    """
    with naming(path):
        if not stat.S_ISDIR(os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode):
            os.unlink(path.name, dir_fd=folder)
            return
        try:
            shutil.rmtree(path.name, dir_fd=folder)
        except OSError as error:
            if error.errno not in (None, errno.ELOOP, errno.ENOTDIR) or not path.is_symlink():
                raise
            raise LeadsOutside(path, "a folder") from None
