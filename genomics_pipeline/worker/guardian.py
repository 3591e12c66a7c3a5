"""A small program that ends process groups as soon as the process that started it is gone, however that ended.

Standard input has a line for each change: ``+`` and the id of a group that was started, ``-`` and that of one that has
ended. Its end says that the other process is gone. This program imports nothing of the package: it starts in the time
of a bare interpreter, and runs beside each run.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

GRACE_S = 2.0  # between SIGTERM and SIGKILL; nobody is left who needs the results
POLL_S = 0.02


def watch(lines: Iterable[bytes]) -> set[int]:
    """Return the groups that have not ended at the end of the lines.

    >>> watch([b"+12", b"+13", b"-12"])
    {13}
    """
    groups: set[int] = set()
    for line in lines:
        change = groups.add if line.startswith(b"+") else groups.discard
        change(int(line[1:]))
    return groups


def signal_groups(groups: Iterable[int], number: int) -> set[int]:
    """Signal groups and return those that still have processes."""
    alive = set()
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):  # macOS: only zombies are left
            os.killpg(group, number)
            alive.add(group)
    return alive


def end_groups(groups: set[int]) -> None:
    """End all processes of groups, also stopped ones: by SIGTERM, and those that remain by SIGKILL."""
    deadline = time.monotonic() + GRACE_S
    groups = signal_groups(groups, signal.SIGTERM)
    signal_groups(groups, signal.SIGCONT)
    while groups and time.monotonic() < deadline:
        time.sleep(POLL_S)
        groups = signal_groups(groups, 0)
    signal_groups(groups, signal.SIGKILL)


if __name__ == "__main__":
    with os.fdopen(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as changes:
        end_groups(watch(changes))
