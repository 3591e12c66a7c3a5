"""Clients of running Python processes that fork for each request: see `interpreter_server`."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from genomics_pipeline.worker.running_program import ProgramEnd

_CHUNK = 1 << 10
LOST = ProgramEnd(9, 0, 0.0)  # of a program whose server was killed: nobody knows its status, and it counts as killed


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

    def fileno(self) -> int:
        """Return the descriptor that has something to read once the program has ended, or its server was killed."""
        return self._end.fileno()

    def wait(self, timeout_s: float | None) -> ProgramEnd | None:
        """Wait for the end, and return it.

        It is `LOST` where the server was killed; the caller ends the program's group.

        Args:
            timeout_s: The time after which None is returned; None for no limit.
        """
        poll = select.poll()
        poll.register(self._end, select.POLLIN)
        if not poll.poll(None if timeout_s is None else timeout_s * 1000):
            return None
        reports = b""
        with self._end, suppress(ConnectionResetError):  # of a program that was killed before it began
            while more := self._end.recv(_CHUNK):  # to the end of all that report: a program may, then its server does
                reports += more
        words = reports.splitlines()[-1].split() if reports else []
        return ProgramEnd(int(words[0]), int(words[1]), float(words[2])) if len(words) == 3 else LOST


class ForkServer:
    """A server of forks, which ends with this object or its process; its programs continue.

    Args:
        command: The command of the server, to which the descriptor of a socket is added.
        variables: Its environment variables.
        output: Its standard output and standard error; None for those of this process.
        cwd: Its folder.
    """

    def __init__(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        output: int | None = subprocess.DEVNULL,
        cwd: str = "/",
    ) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                env=variables,
                cwd=cwd,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,  # no signal of a terminal reaches it
            )
        weakref.finalize(self, _end, self._socket, process, os.getpid())

    def is_gone(self) -> bool:
        """Return whether the server was killed; any process that has this object may ask."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)  # a server sends nothing here, so that only its end can be read
        return bool(poll.poll(0))

    def request(self, request: Mapping[str, Any], descriptors: Sequence[int]) -> ForkedProgram | None:
        """Send a request, and return the program; None if the server refuses it.

        Args:
            request: Its members ``cwd`` and ``environment``, which is added to the server's, and others.
            descriptors: The output of the program, and those that it gets.

        Raises:
            OSError: if the server is gone.
        """
        data = json.dumps(request).encode() + b"\n"
        ours, theirs = socket.socketpair()
        with theirs:
            output, *more = descriptors
            sent = socket.send_fds(self._socket, [data], [output, theirs.fileno(), *more])
            self._socket.sendall(data[sent:])
        line = b""
        while not line.endswith(b"\n"):
            if not (byte := self._answer(ours)):
                ours.close()
                raise BrokenPipeError
            line += byte
        if pid := int(line):
            return ForkedProgram(pid, ours)
        ours.close()
        return None

    def _answer(self, ours: socket.socket) -> bytes:
        """Return the next byte of an answer; nothing if the server is gone, also if a fork keeps the socket open."""
        poll = select.poll()
        for source in (ours, self._socket):
            poll.register(source, select.POLLIN)
        ready = dict(poll.poll())
        return ours.recv(1) if ours.fileno() in ready else b""


class ForkServers:
    """Servers of forks, one for each environment; threads may start programs at the same time.

    Args:
        command: The command of each server.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._lock = threading.Lock()
        self._servers: dict[frozenset[tuple[str, str]], ForkServer] = {}

    def prepare(self, variables: Mapping[str, str]) -> None:
        """Start the server of an environment that will be needed later, without waiting for it.

        Raises:
            OSError: if there is no room for one.
        """
        with self._lock:
            self._server(variables)

    def renew(self) -> None:
        """Start each server anew that was killed, without waiting for it.

        Raises:
            OSError: if there is no room for one.
        """
        with self._lock:
            for key in self._servers:
                self._server(dict(key))

    def start(
        self, variables: Mapping[str, str], request: Mapping[str, Any], descriptors: Sequence[int]
    ) -> ForkedProgram | None:
        """Start a program, in a fork of a new server where the running one was killed; None if a server refuses it.

        Args:
            variables: The environment of the server.
            request: See `ForkServer.request`.
            descriptors: See `ForkServer.request`.

        Raises:
            OSError: if there is no room for a server.
        """
        with self._lock:
            try:
                return self._server(variables).request(request, descriptors)
            except OSError:
                self._servers.pop(frozenset(variables.items()), None)
                return self._server(variables).request(request, descriptors)

    def _server(self, variables: Mapping[str, str]) -> ForkServer:
        """Return the server of an environment, which is started if none runs; the lock is held."""
        key = frozenset(variables.items())
        if key not in self._servers or self._servers[key].is_gone():
            self._servers[key] = ForkServer(self._command, variables)
        return self._servers[key]


def _end(to_server: socket.socket, process: subprocess.Popen[bytes], owner: int) -> None:
    """End a server, but not at the end of a fork of the process that started it; its programs continue."""
    to_server.close()
    if os.getpid() == owner:
        process.kill()
        process.wait()
