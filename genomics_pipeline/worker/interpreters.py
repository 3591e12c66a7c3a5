"""Running interpreters, which fork for each Python program of a step: see `interpreter_server`."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from genomics_pipeline.model.step import PLACEHOLDER
from genomics_pipeline.worker import interpreter_server
from genomics_pipeline.worker.running_program import ProgramEnd

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_OWN = "TMPDIR"  # the only variable that differs between tasks; nothing reads it before a program does
_KILLED = ProgramEnd(9, 0, 0.0)  # the status of a process that SIGKILL ended


class ForkedProgram:
    """A program in a fork of a server.

    Attributes:
        pid: The process, which leads a process group.
    """

    def __init__(self, pid: int, end: socket.socket) -> None:
        self.pid = pid
        self._end = end

    def begin(self) -> None:
        """Let the program begin, which waits for it."""
        with suppress(OSError):  # its server was killed, see `wait`
            self._end.sendall(b"\n")

    def wait(self, timeout_s: float | None) -> ProgramEnd | None:
        """Wait for the end, and return it.

        Where its server was killed, it counts as killed too, since nobody knows its status; the caller ends its group.

        Args:
            timeout_s: The time after which None is returned; None for no limit.
        """
        poll = select.poll()
        poll.register(self._end, select.POLLIN)
        if not poll.poll(None if timeout_s is None else timeout_s * 1000):
            return None
        with self._end, self._end.makefile("rb") as lines:
            words = lines.readline().split()
        return ProgramEnd(int(words[0]), int(words[1]), float(words[2])) if len(words) == 3 else _KILLED


class Interpreters:
    """Servers of Python programs, one for each environment; threads may start programs at the same time.

    Variables such as GLIBC_TUNABLES count when a process is executed, so that a program is forked from a server with
    exactly its environment.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._servers: dict[frozenset[tuple[str, str]], _InterpreterServer] = {}

    def prepare(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the server of a step's command that will be started later, without waiting for it.

        Args:
            command: The command, with placeholders. One whose variables depend on the task is left out.
            environment: See `start`.
        """
        assignments, program = _split(command)
        if program[:1] != ["{python}"] or any(PLACEHOLDER.search(value) for value in assignments.values()):
            return
        with self._lock, suppress(OSError):  # `start` tries again
            self._server({**environment, **assignments})

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
        with self._lock:
            try:
                return self._server(variables).request(json.dumps(request).encode() + b"\n", output)
            except OSError:  # it was killed, or there is no room for one
                self._servers.pop(_key(variables), None)
                return None

    def _server(self, variables: Mapping[str, str]) -> _InterpreterServer:
        """Return the server of an environment, which is started if there is none; the lock is held."""
        key = _key(variables)
        if key not in self._servers:
            self._servers[key] = _InterpreterServer(dict(key))
        return self._servers[key]


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


class _InterpreterServer:
    def __init__(self, variables: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, interpreter_server.__file__, str(theirs.fileno())],
                env=variables,
                cwd="/",
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,  # no signal of a terminal reaches it
            )
        weakref.finalize(self, _end, self._socket, process, os.getpid())

    def request(self, request: bytes, output: int) -> ForkedProgram | None:
        """Send a request, and return the program; None if the server refuses it.

        Raises:
            OSError: if the server is gone.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            sent = socket.send_fds(self._socket, [request], [output, theirs.fileno()])
            self._socket.sendall(request[sent:])
        line = b""
        while not line.endswith(b"\n"):
            if not (byte := ours.recv(1)):
                ours.close()
                raise BrokenPipeError
            line += byte
        if pid := int(line):
            return ForkedProgram(pid, ours)
        ours.close()
        return None


def _end(to_server: socket.socket, process: subprocess.Popen[bytes], owner: int) -> None:
    """End a server, but not at the end of a fork of the process that started it; its programs continue."""
    to_server.close()
    if os.getpid() == owner:
        process.kill()
        process.wait()


def _key(variables: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """Return the variables that a server has."""
    return frozenset((name, value) for name, value in variables.items() if name != _OWN)


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
