"""Execution environments that are processes of this machine; see `worker.lambda_environment`."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from genomics_pipeline.model.json_text import loads_lenient
from genomics_pipeline.runs.functions.environment import (
    KILLED,
    EnvironmentEnded,
    EnvironmentLost,
    FunctionAnswer,
    FunctionCall,
)
from genomics_pipeline.stores.publish import make_folders
from genomics_pipeline.worker.fork_server import LOST, ForkedProgram, ForkServers
from genomics_pipeline.worker.group_memory import GroupMemory
from genomics_pipeline.worker.guardian import signal_groups
from genomics_pipeline.worker.lambda_environment import ANSWER, ERROR, REQUEST
from genomics_pipeline.worker.process import limit_memory
from genomics_pipeline.worker.process_groups import GROUPS
from genomics_pipeline.worker.running_program import ProgramEnd
from genomics_pipeline.worker.step_folder import StepFolder

NO_BUCKETS: Mapping[str, Path] = {}
_CHECK_MS = 100  # between looks at the time and the memory of a call; its answer is noticed at once
# Memory is measured: a library may reserve more than it uses. Beyond this, a program cannot even allocate it, so that
# none takes the memory of others within the second between two measurements.
_MORE_MIB = 1024
# Their servers live as long as this process, so that the forks of `cli.command_server` find them running.
_FORKS = ForkServers([sys.executable, "-P", "-m", "genomics_pipeline.worker.environment_server"])


def prepare_environments(environment: Mapping[str, str]) -> None:
    """Start the server that environments with these variables are forked from, without waiting for it.

    Raises:
        OSError: if there is no room for one.
    """
    _FORKS.prepare(environment)


def renew_environments() -> None:
    """Start each server anew that was killed, without waiting for it.

    Raises:
        OSError: if there is no room for one.
    """
    _FORKS.renew()


class ProcessEnvironment:
    """An environment in a fork of a process that has imported what it needs; it leads a process group.

    Args:
        step: The step.
        environment: Its environment variables.
        log: The file that the output of the step's program is appended to.
        scratch: The folder that is its ``TMPDIR``.
        buckets: The local folders that stand for buckets.
    """

    def __init__(
        self,
        step: StepFolder,
        environment: Mapping[str, str],
        log: Path,
        scratch: Path,
        buckets: Mapping[str, Path] = NO_BUCKETS,
    ) -> None:
        self._memory_mib = step.spec.resources.memory_mib
        self._end: ProgramEnd | None = None
        make_folders(scratch)
        make_folders(log.parent)
        GROUPS.prepare()
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)  # `_await` waits
        with theirs, log.open("ab") as out:
            self._process = _start(step, environment, scratch, buckets, [out.fileno(), theirs.fileno()])
        limit_memory(self._process.pid, 2 * self._memory_mib + _MORE_MIB)
        self._held = ExitStack()
        self._held.callback(shutil.rmtree, scratch, ignore_errors=True)
        self._held.enter_context(GROUPS.running(self._process.pid))
        self._process.begin()

    def invoke(self, call: FunctionCall) -> FunctionAnswer:
        """Run a call; see `ExecutionEnvironment`."""
        try:
            self._send(call, REQUEST.pack(call.request_id.encode(), len(call.payload)) + call.payload)
            kind, peak_kib, length = ANSWER.unpack(self._receive(call, ANSWER.size))
            body = self._receive(call, length)
        except (BrokenPipeError, ConnectionResetError, EOFError):
            if self._wait() is LOST:
                raise EnvironmentLost("the process that it was forked from was killed") from None
            raise EnvironmentEnded(self._end_words()) from None
        if peak_kib > self._memory_mib << 10 or (kind == ERROR and _is_out_of_memory(body)):
            raise EnvironmentEnded(KILLED, out_of_memory=True)
        return FunctionAnswer(body, kind == ERROR)

    def is_running(self) -> bool:
        """Return whether neither the process nor its server has ended."""
        poll = select.poll()
        for source in (self._process, self._socket):  # an idle process sends nothing, so that only its end can be read
            poll.register(source, select.POLLIN)
        return not poll.poll(0)

    def _await(self, call: FunctionCall, event: int) -> None:
        """Wait until the socket can be read or written.

        The end of the process is noticed also while others, which it has forked, keep the socket open.

        Raises:
            EOFError: if the process has ended, and so never will.
        """
        poll = select.poll()
        poll.register(self._socket, event)
        poll.register(self._process, select.POLLIN)
        memory = GroupMemory(self._process.pid)
        while not (ready := dict(poll.poll(min(_CHECK_MS, max(1, call.remaining_s * 1000))))):
            call.refuse_more_time()
            memory.sample()
            if memory.peak_mib > self._memory_mib:
                raise EnvironmentEnded(KILLED, out_of_memory=True)
        if self._socket.fileno() not in ready:
            raise EOFError

    def _send(self, call: FunctionCall, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._await(call, select.POLLOUT)
            view = view[self._socket.send(view) :]

    def _receive(self, call: FunctionCall, length: int) -> bytes:
        data = bytearray(length)
        view, received = memoryview(data), 0
        while received < length:
            self._await(call, select.POLLIN)
            if not (count := self._socket.recv_into(view[received:])):
                raise EOFError
            received += count
        return bytes(data)

    def _end_words(self) -> str:
        """Return how the process ended, as Lambda writes it."""
        code = os.waitstatus_to_exitcode(self._wait().status)
        if code == -signal.SIGKILL:
            return KILLED
        return f"exit status {code}" if code >= 0 else f"signal: {signal.strsignal(-code) or -code}".lower()

    def end(self) -> None:
        """Kill the process and all that it started."""
        self._socket.close()
        signal_groups([self._process.pid], signal.SIGKILL)
        self._wait()
        self._held.close()

    def _wait(self) -> ProgramEnd:
        if self._end is None:
            self._end = self._process.wait(None)
        assert self._end is not None  # it was waited for without a limit
        return self._end


def _start(
    step: StepFolder,
    environment: Mapping[str, str],
    scratch: Path,
    buckets: Mapping[str, Path],
    descriptors: list[int],
) -> ForkedProgram:
    folders = json.dumps({name: str(path) for name, path in buckets.items()})
    own = {"GENOMICS_PIPELINE_STEP": str(step.path), "GENOMICS_PIPELINE_BUCKETS": folders, "TMPDIR": str(scratch)}
    program = _FORKS.start(environment, {"cwd": str(scratch), "environment": own}, descriptors)
    assert program is not None  # this server refuses none
    return program


def _is_out_of_memory(response: bytes) -> bool:
    members = loads_lenient(response)
    return isinstance(members, dict) and members.get("errorType") in ("MemoryError", "_ArrayMemoryError")
