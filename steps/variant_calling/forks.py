"""Work in forked processes: bcftools keeps state in global variables, so each piece of work gets a process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

import pysam.bcftools
from pysam.utils import SamtoolsError

BAD_INPUT = 65  # EX_DATAERR of sysexits.h
KILLED = 128 + signal.SIGKILL  # what a program ends with that is killed for its memory


class WorkFailed(Exception):
    """A worker has ended badly, and said why."""


class WorkKilled(WorkFailed):
    """A worker was killed, as the system does when memory runs out."""


def bcftools(command: str, *argv: str) -> None:
    """Run one bcftools command in this process; it must name its output file.

    Raises:
        WorkFailed: with what bcftools said.
    """
    try:
        getattr(pysam.bcftools, command)(*argv, catch_stdout=False)
    except SamtoolsError as error:
        raise WorkFailed(f"bcftools {command}: {error}") from None


def run(jobs: Sequence[Callable[[], None]], at_once: int) -> None:
    """Run every job in a fork of its own, so many at once.

    Raises:
        WorkFailed: if a job failed; the others are stopped first.
        WorkKilled: if it was killed.
    """
    running: set[int] = set()
    waiting = list(reversed(jobs))
    signal.signal(signal.SIGTERM, _terminated)
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                running.add(_fork(waiting.pop()))
            process, status = os.wait()
            running.discard(process)
            if status:
                raise _ended(os.waitstatus_to_exitcode(status))
    finally:
        for process in running:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _ended(code: int) -> WorkFailed:
    if code == -signal.SIGKILL:
        return WorkKilled("a worker was killed by signal 9; it may have run out of memory")
    return WorkFailed(f"a worker ended with {code}")


def _terminated(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _fork(job: Callable[[], None]) -> int:
    process = os.fork()
    if process:
        return process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    status = 1
    try:
        job()
        status = 0
    except Exception as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)
