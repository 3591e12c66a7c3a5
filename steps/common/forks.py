"""Forked processes: samtools and bcftools keep state in global variables, so each command gets a process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

from common.program import KILLED, StepError


class ForkFailed(StepError):
    """A fork that ended badly; it has reported why, unless it was killed.

    Attributes:
        killed: By SIGKILL, as the system does when memory runs out.
    """

    def __init__(self, name: str, code: int) -> None:
        self.killed = code == -signal.SIGKILL
        how = "was killed by signal 9; it may have run out of memory" if self.killed else f"ended with exit code {code}"
        super().__init__(f"{name} {how}")
        self.exit_code = KILLED if self.killed else 1


def fork(work: Callable[[], None], name: str = "") -> int:
    """Run a function in a fork, which ends with it, and return the fork's process id.

    The fork ends with 0, or with 1 after an exception, which is printed to standard error.

    Args:
        work: The function.
        name: A prefix of the printed message.
    """
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        work()
        code = 0
    except (EOFError, BrokenPipeError):
        pass  # the process at the other end of a pipe has ended, and reports why
    except Exception as error:
        print(f"error: {name}{': ' if name else ''}{str(error).strip()}", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(code)


def wait_for(process: int) -> int:
    """Wait for a fork and return its exit code, negative for the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def exit_on_sigterm() -> None:
    """Make SIGTERM raise SystemExit, so that a program ends its forks before it ends."""
    signal.signal(signal.SIGTERM, _exit)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
