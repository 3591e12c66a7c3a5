"""A bcftools command in a fork of its own, whose output is read from a pipe."""

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
START = b"1"


class WaitingFork:
    """A fork that runs a bcftools command as soon as its output is asked for; a context, which ends it.

    It is made before the memory for the command's input is taken: of memory that two processes share, each page is
    copied when one of them writes to it.

    Args:
        command: The command.
    """

    def __init__(self, command: Command) -> None:
        self._name = f"bcftools {command[0]}"
        waiting, starting = os.pipe()
        reader, writer = os.pipe()
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(PermissionError):  # of a user whose pipes have taken all that they may
                fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._start, self._output = os.fdopen(starting, "wb", 0), os.fdopen(reader, "rb")

        def work() -> None:
            self._start.close()
            self._output.close()
            if os.read(waiting, len(START)):  # else the output is not asked for, or the parent has ended
                self._run(command, writer)

        exit_on_sigterm()
        self._process: int | None = fork(work, self._name)
        for descriptor in waiting, writer:
            os.close(descriptor)

    def _run(self, command: Command, writer: int) -> None:
        os.dup2(writer, 1)
        os.close(writer)
        run_command = getattr(pysam.bcftools, command[0])
        run_command(*command[1:], catch_stdout=False)
        log_messages(self._name, run_command.get_messages())

    def __enter__(self) -> WaitingFork:
        return self

    def __exit__(self, *_: object) -> None:
        self._start.close()
        self._output.close()
        if self._process is not None:
            os.kill(self._process, signal.SIGKILL)
            wait_for(self._process)

    @contextmanager
    def output(self) -> Iterator[BinaryIO]:
        """Give the output of the command.

        Raises:
            ForkFailed: at the end, if it failed.
        """
        with suppress(BrokenPipeError):  # of a fork that was killed
            self._start.write(START)
        yield self._output
        process, self._process = self._process, None
        assert process is not None
        if code := wait_for(process):
            raise ForkFailed(self._name, code)
