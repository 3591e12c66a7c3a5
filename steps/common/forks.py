"""Forked processes, one for each command of samtools and bcftools, which keep state in global variables."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

from common.program import KILLED, StepError, exit_code_of, report


class ForkFailed(StepError):
    """The error of a fork that failed; the fork has reported why, unless it was killed.

    Attributes:
        killed: True if SIGKILL ended it, as when memory runs out.
    """

    def __init__(self, name: str, code: int) -> None:
        self.killed = code in (-signal.SIGKILL, KILLED)
        end = "was killed by signal 9; it may have run out of memory" if self.killed else f"ended with exit code {code}"
        super().__init__(f"{name} {end}")
        self.exit_code = KILLED if self.killed else max(code, 1)


def fork(work: Callable[[], None], name: str = "") -> int:
    """Run a function in a fork and return the fork's process id.

    The fork ends with exit code 0, or after an exception, which it prints to standard error, with that of a program.

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
        pass  # the process at the other end of a pipe has ended and reported why
    except Exception as error:
        code = exit_code_of(error)
        report(error, name)
    finally:
        try:
            sys.stderr.flush()
        finally:  # a log on a full disk fails, and this fork must not go on as its parent
            os._exit(code)


def wait_for(process: int) -> int:
    """Wait for a fork and return its exit code, negative for the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def exit_on_sigterm() -> None:
    """Make SIGTERM raise SystemExit, so that the program ends its forks before it exits."""
    signal.signal(signal.SIGTERM, _exit)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def run_shared(work: Callable[[int], None], jobs: int, at_once: int) -> None:
    """Run jobs in at most `at_once` forks, each of which takes the next number when it has finished one.

    What a fork has computed for one job is in its memory for the next.

    Args:
        work: Does the job of a number, from 0.
        jobs: How many there are, at most 256.
        at_once: The number of forks.

    Raises:
        ForkFailed: if a job failed, after the others are killed.
    """
    waiting, numbers = os.pipe()
    os.write(numbers, bytes(range(jobs)))
    os.close(numbers)

    def worker() -> None:
        while number := os.read(waiting, 1):
            work(number[0])

    try:
        run([worker] * min(jobs, at_once), at_once)
    finally:
        os.close(waiting)


def run(
    jobs: Sequence[Callable[[], None]], at_once: int, on_end: Callable[[int], object] = lambda number: None
) -> None:
    """Run every job in a fork of its own, at most `at_once` at a time.

    Args:
        jobs: The jobs.
        at_once: The number of forks.
        on_end: Called with the number of each job that has ended, from 0.

    Raises:
        ForkFailed: if a job failed, after the others are killed.
    """
    running: dict[int, int] = {}
    waiting = list(reversed(list(enumerate(jobs))))
    exit_on_sigterm()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                number, job = waiting.pop()
                running[fork(job)] = number
            process, status = os.wait()
            ended = running.pop(process, None)
            if status:
                raise ForkFailed("a forked process", os.waitstatus_to_exitcode(status))
            if ended is not None:
                on_end(ended)
    finally:
        for process in running:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
