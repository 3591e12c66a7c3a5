"""The share of its input files that a program has read, from the positions of its open files, where Linux tells them.

It says how far a program is that reports nothing, as long as it reads its files once, from their beginning to their
end, as most programs do. What does not look like that is not told: a file that several processes read at different
places, as workers of one program do, and one whose position goes back, since it is read again. Files that are mapped
into memory, and pipes, have no position.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import Any

from genomics_pipeline.worker.group_memory import SHARE, processes

PERIOD_S = 2.0  # at least between two looks
LEAST_BYTES = 1 << 20  # of all files together: smaller ones are read at once
BACK_BYTES = 1 << 16  # by which a position may go back, as after a look at the header
_PROC = Path("/proc")
FileKey = tuple[int, int]  # the device and the inode, which are the same by any path


class ReadPositions:
    """The positions of a program in its input files.

    Args:
        files: The files.
        report: Called with the share that is read, above 0 and at most 1, when it has changed; with None once it does
            not tell anything.
        clock: Returns the seconds of a monotonic clock.
        find: Returns the open files of a process group: the file and the position of each.
    """

    def __init__(
        self,
        files: Iterable[str],
        report: Callable[[float | None], object],
        clock: Callable[[], float] = time.monotonic,
        find: Callable[[int, Mapping[FileKey, int]], Iterable[tuple[FileKey, int]]] | None = None,
    ) -> None:
        self._sizes = dict(filter(None, map(_sized, files)))
        self._whole = sum(self._sizes.values())
        self._report, self._clock, self._find = report, clock, find or open_positions
        self._read: dict[FileKey, int] = {}
        self._next = clock() + PERIOD_S
        self._reported: float | None = None
        self._tells = self._whole >= LEAST_BYTES

    def look(self, group: int) -> None:
        """Look at the files of a process group, if that is due."""
        started = self._clock()
        if not self._tells or started < self._next:
            return
        for file, position in self._positions(group).items():
            if position < self._read.get(file, 0) - BACK_BYTES:
                self._tells = False
            self._read[file] = max(position, self._read.get(file, 0))
        share = sum(self._read.values()) / self._whole if self._tells else None
        if share != self._reported and share != 0:
            self._reported = share
            self._report(share)
        now = self._clock()
        self._next = now + max(PERIOD_S, (now - started) / SHARE)

    def _positions(self, group: int) -> dict[FileKey, int]:
        """Return the position in each open file; a fork has the files of its parent, at the same positions."""
        found: dict[FileKey, int] = {}
        for file, position in self._find(group, self._sizes):
            position = min(position, self._sizes[file])
            if abs(position - found.setdefault(file, position)) > BACK_BYTES:
                self._tells = False
        return found


def input_paths(inputs: Any) -> Iterator[str]:
    """Yield the paths in the inputs of ``task.json``, however they are nested."""
    if isinstance(inputs, str):
        yield inputs
    elif isinstance(inputs, Mapping | list):
        for value in inputs.values() if isinstance(inputs, Mapping) else inputs:
            yield from input_paths(value)


def open_positions(group: int, files: Mapping[FileKey, int]) -> Iterator[tuple[FileKey, int]]:
    """Yield the position of each of these files that a process of a group has open; none where Linux is not.

    Args:
        group: The process group.
        files: The files.
    """
    for process in processes():
        with suppress(OSError, ValueError):  # it has ended, or belongs to another user
            if os.getpgid(process) == group:
                yield from _of_process(process, files)


def _of_process(process: int, files: Mapping[FileKey, int]) -> Iterator[tuple[FileKey, int]]:
    folder = _PROC / str(process)
    for opened in (folder / "fd").iterdir():
        with suppress(OSError, ValueError):  # it was closed
            stat = opened.stat()
            if (key := (stat.st_dev, stat.st_ino)) in files:
                yield key, int((folder / "fdinfo" / opened.name).read_text().split("\n", 1)[0].removeprefix("pos:"))


def _sized(path: str) -> tuple[FileKey, int] | None:
    """Return a regular file with its size; None for anything else."""
    with suppress(OSError, ValueError):  # not a path, but the name of a lane
        stat = Path(path).stat()
        if S_ISREG(stat.st_mode) and stat.st_size:
            return (stat.st_dev, stat.st_ino), stat.st_size
    return None
