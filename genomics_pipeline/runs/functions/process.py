"""Execution environments that are processes of this machine; see `worker.lambda_environment`."""

from __future__ import annotations

import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from genomics_pipeline.model.json_text import loads_lenient
from genomics_pipeline.runs.functions.environment import KILLED, EnvironmentEnded, FunctionAnswer, FunctionCall
from genomics_pipeline.stores.publish import make_folders
from genomics_pipeline.worker.group_memory import GroupMemory
from genomics_pipeline.worker.guardian import signal_groups
from genomics_pipeline.worker.lambda_environment import ANSWER, ERROR, REQUEST
from genomics_pipeline.worker.process import limit_memory
from genomics_pipeline.worker.process_groups import GROUPS
from genomics_pipeline.worker.step_folder import StepFolder

_CHECK_MS = 100  # between looks at the time and the memory of a call; its answer is noticed at once
# Memory is measured: a library may reserve more than it uses. Beyond this, a program cannot even allocate it, so that
# none takes the memory of others within the second between two measurements.
_MORE_MIB = 1024
_MODULE = "genomics_pipeline.worker.lambda_environment"


class ProcessEnvironment:
    """An environment in a process, which leads a process group.

    Args:
        step: The step.
        environment: Its environment variables.
        log: The file that the output of the step's program is appended to.
        scratch: The folder that is its ``TMPDIR``.
    """

    def __init__(self, step: StepFolder, environment: Mapping[str, str], log: Path, scratch: Path) -> None:
        self._memory_mib = step.spec.resources.memory_mib
        make_folders(scratch)
        make_folders(log.parent)
        GROUPS.prepare()
        self._socket, theirs = socket.socketpair()
        with theirs, log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE, str(theirs.fileno())],
                env={**environment, "GENOMICS_PIPELINE_STEP": str(step.path), "TMPDIR": str(scratch)},
                cwd=scratch,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                process_group=0,
            )
        limit_memory(self._process.pid, 2 * self._memory_mib + _MORE_MIB)
        self._held = ExitStack()
        self._held.callback(shutil.rmtree, scratch, ignore_errors=True)
        self._held.enter_context(GROUPS.running(self._process.pid))

    def invoke(self, call: FunctionCall) -> FunctionAnswer:
        """Run a call; see `ExecutionEnvironment`."""
        try:
            self._socket.sendall(REQUEST.pack(call.request_id.encode(), len(call.payload)) + call.payload)
            self._await_answer(call)
            kind, peak_kib, length = ANSWER.unpack(self._receive(ANSWER.size))
            body = self._receive(length)
        except (BrokenPipeError, ConnectionResetError, EOFError):
            raise EnvironmentEnded(self._end_words()) from None
        if peak_kib > self._memory_mib << 10 or (kind == ERROR and _is_out_of_memory(body)):
            raise EnvironmentEnded(KILLED, out_of_memory=True)
        return FunctionAnswer(body, kind == ERROR)

    def _await_answer(self, call: FunctionCall) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        memory = GroupMemory(self._process.pid)
        while not poll.poll(min(_CHECK_MS, max(1, call.remaining_s * 1000))):
            call.refuse_more_time()
            memory.sample()
            if memory.peak_mib > self._memory_mib:
                raise EnvironmentEnded(KILLED, out_of_memory=True)

    def _receive(self, length: int) -> bytes:
        data = bytearray(length)
        view, received = memoryview(data), 0
        while received < length:
            if not (count := self._socket.recv_into(view[received:])):
                raise EOFError
            received += count
        return bytes(data)

    def _end_words(self) -> str:
        """Return how the process ended, as Lambda writes it."""
        code = self._process.wait()
        if code == -signal.SIGKILL:
            return KILLED
        return f"exit status {code}" if code >= 0 else f"signal: {signal.strsignal(-code) or -code}".lower()

    def end(self) -> None:
        """Kill the process and all that it started."""
        self._socket.close()
        signal_groups([self._process.pid], signal.SIGKILL)
        with suppress(ChildProcessError):
            self._process.wait()
        self._held.close()


def _is_out_of_memory(response: bytes) -> bool:
    members = loads_lenient(response)
    return isinstance(members, dict) and members.get("errorType") in ("MemoryError", "_ArrayMemoryError")
