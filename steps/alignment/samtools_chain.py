"""samtools commands joined by pipes, each in a fork of this process: no new interpreter, no file between them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Sequence

import pysam
from common.forks import ForkFailed, fork, wait_for

Command = Sequence[str]
CHUNK_BYTES = 1 << 20
_SPARE = 64  # above every descriptor that a child uses
_ALL = 1 << 16


class Chain:
    """Commands that run, each reading what the one before it writes.

    Args:
        commands: samtools' subcommands and arguments, with ``-`` for the pipe.
        ends: Two commands that both read all that the last one writes, each with the file for its standard output,
            if any.
    """

    def __init__(self, commands: Sequence[Command], ends: Sequence[tuple[Command, str | None]]) -> None:
        self._children: list[tuple[str, int]] = []
        source, self.input = _pipe()
        for command in commands:
            following, target = _pipe()
            self._fork(f"samtools {command[0]}", lambda c=command: _run(c), source, target)  # type: ignore[misc]
            source = following
        first, second = _pipe(), _pipe()
        self._fork("tee", _tee, source, first[1], second[1])
        for (command, printed), (begin, _) in zip(ends, (first, second), strict=True):
            self._fork(f"samtools {command[0]}", lambda c=command, p=printed: _run(c, p), begin)  # type: ignore[misc]

    def wait(self) -> None:
        """Wait for all commands, once the input is closed.

        Raises:
            ForkFailed: if one failed; of several, one that was killed.
        """
        failures = [ForkFailed(name, code) for name, process in self._children if (code := wait_for(process))]
        if failures:  # others end because one was killed
            raise max(failures, key=lambda failure: failure.killed)

    def _fork(self, name: str, work: Callable[[], None], source: int, *targets: int) -> None:
        """Fork a child that reads 0 and writes 1, and 3 where there is a second target; close these here."""

        def connect_and_work() -> None:
            held = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _SPARE) for descriptor in (source, *targets)]
            for descriptor, place in zip(held, (0, 1, 3), strict=False):
                os.dup2(descriptor, place)
            os.closerange(max(3, len(held) + 1), _ALL)  # a process that holds an end of a pipe keeps it open
            work()

        self._children.append((name, fork(connect_and_work, name)))
        for descriptor in (source, *targets):
            os.close(descriptor)


def _pipe() -> tuple[int, int]:
    """Make a pipe, as large as a user may have where the system allows to set that."""
    begin, end = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, CHUNK_BYTES)
    return begin, end


def _run(command: Command, printed: str | None = None) -> None:
    getattr(pysam.samtools, command[0])(*command[1:], catch_stdout=False, save_stdout=printed)


def _tee() -> None:
    """Copy standard input to two pipes."""
    while chunk := os.read(0, CHUNK_BYTES):
        for target in (1, 3):
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(target, rest) :]
