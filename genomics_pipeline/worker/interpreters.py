"""Running interpreters, which fork for each Python program of a step: see `interpreter_server`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from genomics_pipeline.model.step import PLACEHOLDER
from genomics_pipeline.worker import interpreter_server
from genomics_pipeline.worker.fork_server import ForkedProgram, ForkServers

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_OWN = "TMPDIR"  # the only variable that differs between tasks; nothing reads it before a program does


class Interpreters:
    """Servers of Python programs, one for each environment; threads may start programs at the same time.

    Variables such as GLIBC_TUNABLES count when a process is executed, so that a program is forked from a server with
    exactly its environment.
    """

    def __init__(self) -> None:
        self._servers = ForkServers([sys.executable, interpreter_server.__file__])

    def prepare(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the server of a step's command that will be started later, without waiting for it.

        Args:
            command: The command, with placeholders. One whose variables depend on the task is left out.
            environment: See `start`.
        """
        assignments, program = _split(command)
        if program[:1] != ["{python}"] or any(PLACEHOLDER.search(value) for value in assignments.values()):
            return
        with suppress(OSError):  # `start` tries again
            self._servers.prepare(_variables({**environment, **assignments}))

    def start(
        self, argv: Sequence[str], cwd: Path, output: int, environment: Mapping[str, str]
    ) -> ForkedProgram | None:
        """Start a command; None if it is not a program for this interpreter, or must be executed for another reason.

        Args:
            argv: The command: ``env NAME=VALUE… python /path/to/program.py ARGUMENT…``, where ``env`` may be missing.
            cwd: The folder that it runs in.
            output: The descriptor of the file for its output.
            environment: Its environment variables.
        """
        assignments, program = _split(argv)
        if not _is_program(program):
            return None
        variables = {**environment, **assignments}
        own = {_OWN: variables[_OWN]} if _OWN in variables else {}
        request = {"argv": program, "cwd": str(cwd), "environment": own}
        with suppress(OSError):  # there is no room for a server
            return self._servers.start(_variables(variables), request, [output])
        return None


def start_interpreters(commands: Iterable[Sequence[str]], environment: Mapping[str, str]) -> Interpreters:
    """Start the interpreters for commands of steps, which import modules meanwhile, and return them.

    Args:
        commands: See `Interpreters.prepare`.
        environment: See `Interpreters.prepare`.
    """
    interpreters = Interpreters()
    for command in commands:
        interpreters.prepare(command, environment)
    return interpreters


def _variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a server has."""
    return {name: value for name, value in variables.items() if name != _OWN}


def _split(argv: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the assignments of a command that begins with ``env``, and the command after them.

    >>> _split(["env", "A=b", "python", "x.py", "C=d"])
    ({'A': 'b'}, ['python', 'x.py', 'C=d'])
    """
    if not argv or argv[0] != "env":
        return {}, list(argv)
    count = next((number for number, word in enumerate(argv[1:]) if not _ASSIGNMENT.match(word)), len(argv) - 1)
    return dict(word.split("=", 1) for word in argv[1 : count + 1]), list(argv[count + 1 :])


def _is_program(argv: Sequence[str]) -> bool:
    """Return whether a command is this interpreter, without options, with the file of a program."""
    return len(argv) > 1 and argv[0] == sys.executable and argv[1].endswith(".py") and os.path.isabs(argv[1])  # noqa: PTH117
