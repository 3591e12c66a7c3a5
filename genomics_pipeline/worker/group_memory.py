"""The memory of all processes of a group together, sampled while they run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PERIOD_S = 1.0  # before the first sample, and at least between two
SHARE = 0.01  # of the time that samples may take
_PROC = Path("/proc")


class GroupMemory:
    """The peak of the memory of a process group, where the system says it.

    A page that several processes share counts once: the memory of a process is its proportional set size, see
    ``smaps_rollup`` in Linux's Documentation/filesystems/proc.rst.

    Args:
        group: The process group.
        report: Called with each sample, in MiB.
    """

    def __init__(self, group: int, report: Callable[[int], object] = lambda _: None) -> None:
        self._group, self._report = group, report
        self._next = time.monotonic() + PERIOD_S
        self.peak_mib = 0

    def sample(self) -> None:
        """Take a sample if one is due."""
        started = time.monotonic()
        if started < self._next:
            return
        used_mib = group_mib(self._group)
        self._report(used_mib)
        self.peak_mib = max(self.peak_mib, used_mib)
        now = time.monotonic()
        self._next = now + max(PERIOD_S, (now - started) / SHARE)


def group_mib(group: int) -> int:
    """Return the memory of a process group in MiB; 0 where the system does not say it."""
    kib = 0
    for process in processes():
        with suppress(OSError, ValueError):  # it has ended, or belongs to another user
            if os.getpgid(process) == group:
                kib += _proportional_kib(process)
    return kib >> 10


def processes() -> list[int]:
    """Return the IDs of all processes; none where the system does not say them."""
    names = [folder.name for folder in _PROC.iterdir()] if _PROC.is_dir() else []
    return [int(name) for name in names if name.isdigit()]


def _proportional_kib(process: int) -> int:
    lines = (_PROC / str(process) / "smaps_rollup").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
