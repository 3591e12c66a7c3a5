"""bcftools commands in a pipe, each in a fork of its own."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO

import pysam.bcftools
from common.forks import ForkFailed, exit_on_sigterm, fork, wait_for
from common.provenance import log_messages

Command = Sequence[str]
PIPE_BYTES = 1 << 20  # the most that any user may set (man 7 pipe): fewer changes between processes


@contextmanager
def pipe(commands: Sequence[Command]) -> Iterator[BinaryIO]:
    """Run commands, each of which reads the output of the one before it, and give the output of the last one.

    Args:
        commands: The commands.

    Raises:
        ForkFailed: at the end, if one of them failed; of several, preferably one that was killed.
    """
    exit_on_sigterm()
    running: list[tuple[str, int]] = []
    source = os.open(os.devnull, os.O_RDONLY)
    try:
        for command in commands:
            reader, writer = os.pipe()
            if hasattr(fcntl, "F_SETPIPE_SZ"):
                with suppress(PermissionError):  # of a user whose pipes have taken all that they may
                    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            name = f"bcftools {command[0]}"
            running.append((name, _fork(command, name, source, writer, reader)))
            os.close(source)
            os.close(writer)
            source = reader
        with os.fdopen(source, "rb") as file:
            yield file
        failures = []
        while running:
            name, process = running[0]
            if code := wait_for(process):
                failures.append(ForkFailed(name, code))
            running.pop(0)
        if failures:
            raise max(failures, key=lambda failure: failure.killed)
    finally:
        for _, process in running:
            os.kill(process, signal.SIGKILL)


def run(command: Command) -> None:
    """Run one command that names its output file.

    Raises:
        ForkFailed: if it failed.
    """
    with pipe([command]) as output:
        output.read()


def _fork(command: Command, name: str, stdin: int, stdout: int, unused: int) -> int:
    """Run a command in a fork, which closes `unused`, a descriptor of its parent."""

    def work() -> None:
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)
        for descriptor in {stdin, stdout, unused} - {0, 1, 2}:
            os.close(descriptor)
        run_command = getattr(pysam.bcftools, command[0])
        run_command(*command[1:], catch_stdout=False)
        log_messages(name, run_command.get_messages())

    return fork(work, name)
