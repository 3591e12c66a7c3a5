"""What a container's first process owes the others in it: signals handed on, the ended ones let go.

The kernel gives every process whose parent ended to the first one, and keeps signals from it that it does not handle.
So the first process does nothing else, and what the container is for runs in a child of it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

TOLD = (signal.SIGTERM, signal.SIGINT)


def below_first_process(program: Callable[[], int]) -> int:
    """Run a program: in a child process where we are the first one of a container, else here.

    Args:
        program: What to run; it handles `TOLD` from its first line on.

    Returns:
        What to end with: 128 and the signal's number where one ended the child.
    """
    if os.getpid() != 1:
        return program()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TOLD)  # until there is somebody to hand them to
    child = os.fork()
    if child == 0:
        for number in TOLD:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return program()
    for number in TOLD:
        signal.signal(number, lambda number, _: _hand_on(child, number))
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return _wait(child)


def _hand_on(child: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, number)


def _wait(child: int) -> int:
    """The end of the child; others that end before it, orphans, are let go."""
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
