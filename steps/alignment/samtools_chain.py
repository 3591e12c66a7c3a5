"""samtools commands connected by pipes, each in a fork of this process: no new interpreter, no intermediate files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Sequence

import pysam
from common.forks import ForkFailed, fork, wait_for

Command = Sequence[str]
CHUNK_BYTES = 1 << 20
_SPARE = 4  # the first descriptor number above those that a child uses; the limit of numbers may be low
_ALL = 1 << 16  # more than all descriptors


class Chain:
    """Running commands, each of which reads the output of the one before it.

    Args:
        commands: samtools' subcommands and arguments, with ``-`` for the pipe.
        consumers: Two commands that both read the output of the last one, each with the file for its standard
            output, if any.
    """

    def __init__(self, commands: Sequence[Command], consumers: Sequence[tuple[Command, str | None]]) -> None:
        self._children: list[tuple[str, int]] = []
        source, self.input = _pipe()
        for command in commands:
            following, target = _pipe()
            self._fork(f"samtools {command[0]}", lambda c=command: _run(c), source, target)  # type: ignore[misc]
            source = following
        first, second = _pipe(), _pipe()
        self._fork("tee", _tee, source, first[1], second[1])
        for (command, output), (begin, _) in zip(consumers, (first, second), strict=True):
            self._fork(f"samtools {command[0]}", lambda c=command, p=output: _run(c, p), begin)  # type: ignore[misc]

    def wait(self) -> None:
        """Wait for all commands, once the input is closed.

        Raises:
            ForkFailed: if one failed; of several, preferably one that was killed.
        """
        failures = [ForkFailed(name, code) for name, process in self._children if (code := wait_for(process))]
        if failures:  # the others ended because one was killed
            raise max(failures, key=lambda failure: failure.killed)

    def _fork(self, name: str, work: Callable[[], None], source: int, *targets: int) -> None:
        """Fork a child with the source as descriptor 0 and the targets as 1 and 3; close them in this process."""

        def connect_and_work() -> None:
            copies = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _SPARE) for descriptor in (source, *targets)]
            for descriptor, number in zip(copies, (0, 1, 3), strict=False):
                os.dup2(descriptor, number)
            os.closerange(max(3, len(copies) + 1), _ALL)  # else this child would keep other pipes open
            work()

        self._children.append((name, fork(connect_and_work, name)))
        for descriptor in (source, *targets):
            os.close(descriptor)


def _pipe() -> tuple[int, int]:
    """Make a pipe, of the largest size that any user may set where the system has such a setting."""
    begin, end = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, CHUNK_BYTES)
    return begin, end


def _run(command: Command, output: str | None = None) -> None:
    getattr(pysam.samtools, command[0])(*command[1:], catch_stdout=False, save_stdout=output)


def _tee() -> None:
    """Copy standard input to two pipes."""
    while chunk := os.read(0, CHUNK_BYTES):
        for target in (1, 3):
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(target, rest) :]
