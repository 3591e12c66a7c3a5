"""bcftools commands in a pipe: each in a fork of its own, as bcftools keeps state in global variables."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

import pysam.bcftools
from pysam.utils import SamtoolsError

Command = Sequence[str]


KILLED = 128 + signal.SIGKILL  # what a program ends with that is killed for its memory


class CommandFailed(Exception):
    """A command has failed, and said why.

    Attributes:
        exit_code: What the step's program ends with: `KILLED` where the command was killed.
    """

    def __init__(self, statuses: Sequence[int]) -> None:
        killed = -signal.SIGKILL in map(os.waitstatus_to_exitcode, statuses)
        super().__init__("a bcftools command " + ("was killed; it may have run out of memory" if killed else "failed"))
        self.exit_code = KILLED if killed else 1


@contextmanager
def pipe(commands: Sequence[Command]) -> Iterator[TextIO]:
    """What the last of the commands prints, each reading what the one before it prints.

    Raises:
        CommandFailed: at the end, if one of them failed.
    """
    signal.signal(signal.SIGTERM, _terminated)
    running: list[int] = []
    source = os.open(os.devnull, os.O_RDONLY)
    try:
        for command in commands:
            reads, writes = os.pipe()
            running.append(_fork(command, source, writes, reads))
            os.close(source)
            os.close(writes)
            source = reads
        with os.fdopen(source, encoding="utf-8") as lines:
            yield lines
        statuses = []
        while running:
            statuses.append(os.waitpid(running[0], 0)[1])
            running.pop(0)
        if any(statuses):
            raise CommandFailed(statuses)
    finally:
        for process in running:
            os.kill(process, signal.SIGKILL)


def run(command: Command) -> None:
    """Run one command that names its output file.

    Raises:
        CommandFailed: if it failed.
    """
    with pipe([command]) as lines:
        lines.read()


def _terminated(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _fork(command: Command, stdin: int, stdout: int, unused: int) -> int:
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)
        for fd in {stdin, stdout, unused} - {0, 1, 2}:
            os.close(fd)
        getattr(pysam.bcftools, command[0])(*command[1:], catch_stdout=False)
        status = 0
    except SamtoolsError as error:
        print(f"error: bcftools {command[0]}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)
