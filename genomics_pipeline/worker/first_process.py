"""The duties of a container's first process: it forwards signals and reaps orphans.

The kernel makes the first process the parent of every orphan, and discards signals to it that it does not handle.
So the first process does nothing else, and the container's task runs in a child of it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

END_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def below_first_process(program: Callable[[], int]) -> int:
    """Run a program in a child process if this process is a container's first, else in this process.

    Args:
        program: The program, which handles `END_SIGNALS` from its first line on.

    Returns:
        The exit code: 128 and the signal's number where a signal ended the child.
    """
    if os.getpid() != 1:
        return program()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)  # until there is a child to forward them to
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
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
