"""The first process of a container, which forwards signals and reaps orphans.

The kernel makes the first process the parent of every orphan, and discards signals that it does not handle. So it does
nothing else, and the container's task runs in its child.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

END_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_below_first_process(program: Callable[[], int]) -> int:
    """Run a program: in a child if this process is the first of a container, else in this process.

    Args:
        program: The program, which begins by handling `END_SIGNALS`.

    Returns:
        The exit code: 128 plus the signal's number if a signal ended the child.
    """
    if os.getpid() != 1:
        return program()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)  # until the child exists
    child = os.fork()
    if child == 0:
        for number in END_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return program()
    for number in END_SIGNALS:
        signal.signal(number, lambda number, _: _forward(child, number))
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return _wait(child)


def _forward(child: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, number)


def _wait(child: int) -> int:
    """Wait for the child, reaping the orphans that end before it, and return its exit code."""
    while True:
        process, status = os.wait()
        if process == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
