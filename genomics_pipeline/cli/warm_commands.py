"""Commands of this program that `watch` runs, one after the other, in forks of a process that has all imports."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from genomics_pipeline.report.output import echo_line
from genomics_pipeline.runs.watch import EndedCommand
from genomics_pipeline.worker.fork_server import ForkedProgram, ForkServer

ERROR = "error: "  # begins each problem that a command reports
MOST_ERRORS = 32  # in the record of a command's end
_SERVER = "genomics_pipeline.cli.command_server"


class WarmCommands:
    """The commands of a watch.

    Each runs in a process of its own, which leads a process group, so that a terminal interrupts the watch only.

    Args:
        command: The command and its options, without its sheet.
        environment: The environment variables.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._argv = [sys.executable, "-P", "-m", _SERVER, *command]
        self._environment = environment
        self._server = self._start()

    def _start(self) -> ForkServer:
        return ForkServer(self._argv, self._environment, output=None, cwd=str(Path.cwd()))

    def run(self, arguments: Sequence[str], descriptors: Sequence[int] = ()) -> EndedCommand:
        """Run a command to its end, and pass on what it says; when interrupted, let it end in order.

        Args:
            arguments: The command and its arguments.
            descriptors: Files that the process of the command keeps open.

        Raises:
            OSError: if no process can be started.
        """
        readable, writable = os.pipe()
        with os.fdopen(readable, encoding="utf-8", errors="replace") as lines:
            try:
                program = self._fork(arguments, [writable, *descriptors])
            finally:
                os.close(writable)
            errors: list[str] = []
            try:
                program.begin()
                for line in lines:
                    echo_line(line.removesuffix("\n"), err=True)
                    if line.startswith(ERROR) and len(errors) < MOST_ERRORS:
                        errors.append(line.removeprefix(ERROR).rstrip())
                end = program.wait(None)
            except KeyboardInterrupt:
                with suppress(ProcessLookupError):
                    os.kill(program.pid, signal.SIGTERM)
                for line in lines:  # it could not end in order if nobody read them
                    echo_line(line.removesuffix("\n"), err=True)
                raise
        assert end is not None  # it was waited for without a limit
        return EndedCommand(os.waitstatus_to_exitcode(end.status), errors)

    def _fork(self, arguments: Sequence[str], descriptors: Sequence[int]) -> ForkedProgram:
        """Start a command, in a fork of a new server where the running one was killed."""
        request = {"argv": list(arguments), "cwd": str(Path.cwd()), "environment": {}}
        try:
            program = self._server.request(request, descriptors)
        except OSError:
            self._server = self._start()
            program = self._server.request(request, descriptors)
        assert program is not None  # this server refuses none
        return program
