"""The process of a step's program, which can be ended with all its children, and whose needs are measured."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genomics_pipeline.worker.group_memory import GroupMemory
from genomics_pipeline.worker.guardian import signal_groups
from genomics_pipeline.worker.interpreters import Interpreters
from genomics_pipeline.worker.process_groups import GROUPS
from genomics_pipeline.worker.running_program import Program, ProgramEnd

if TYPE_CHECKING:
    from psutil import Process

POLL_S = 0.01
CHECK_S = 0.1  # between looks at what may end a program; its own end is noticed at once
GRACE_S = 10.0  # between SIGTERM and SIGKILL; AWS gives a container 30


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """The end of a process.

    Attributes:
        exit_code: The exit code as a shell reports it: 128 plus the signal's number if a signal ended the process.
        seconds: The duration.
        processor_seconds: The time on all cores together, of the process and of those of its descendants whose parents
            waited for them.
        peak_memory_mib: The largest resident set of the process or of one of its children, never less than that of
            this process at the start, since Linux also counts the time between fork and exec; or what all of them had
            together in a sample, see `group_memory`.
        cancelled: True if one of the events ended it.
    """

    exit_code: int
    seconds: float
    processor_seconds: float
    peak_memory_mib: int
    cancelled: bool


def run_process(
    argv: Sequence[str],
    cwd: Path,
    log: Path,
    cancelled: threading.Event,
    failed: threading.Event | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    memory_mib: int | None = None,
    interpreters: Interpreters | None = None,
    report_memory: Callable[[int], object] = lambda _: None,
    look: Callable[[int], object] = lambda group: None,
) -> ProcessEnd:
    """Run a program to its end, and that of all processes that it starts.

    The program leads a process group of its own. A signal of the terminal therefore reaches this process only, which
    ends the program; and if this process is killed, `process_groups` ends it.

    Args:
        argv: The command.
        cwd: The folder that it runs in.
        log: A file that its output is appended to.
        cancelled: Ends the program when it is set.
        failed: Ends the program too, for another reason.
        environment: Its environment variables; those of this process where there are none.
        memory_mib: The memory that any of its processes may allocate, where the system has such a limit.
        interpreters: Run it in a fork of one of them if it can, with no other variables than those given; by default it
            is executed.
        report_memory: Called with the memory of all its processes, in MiB, about each second.
        look: Called with its process group while it runs, every `CHECK_S`.

    Raises:
        OSError: if it cannot be started.
    """
    started = time.monotonic()
    GROUPS.prepare()
    with log.open("ab") as out:
        forked = interpreters.start(argv, cwd, out.fileno(), environment or {}) if interpreters else None
        program = forked or _ExecutedProgram(argv, cwd, out.fileno(), environment)
    if memory_mib is not None:
        limit_memory(program.pid, memory_mib)
    with GROUPS.running(program.pid):
        program.begin()
        memory = GroupMemory(program.pid, report_memory)
        end, was_cancelled = _wait(program, memory, look, cancelled, failed)
    code = os.waitstatus_to_exitcode(end.status)
    return ProcessEnd(
        code if code >= 0 else 128 - code,
        time.monotonic() - started,
        end.processor_seconds,
        max(_mib(end.maxrss), memory.peak_mib),
        was_cancelled,
    )


class _ExecutedProgram:
    def __init__(self, argv: Sequence[str], cwd: Path, output: int, environment: Mapping[str, str] | None) -> None:
        self._process = subprocess.Popen(
            argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, process_group=0
        )
        self.pid = self._process.pid

    def begin(self) -> None:
        pass

    def wait(self, timeout_s: float | None) -> ProgramEnd | None:
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while (waited := os.wait4(self.pid, os.WNOHANG))[0] == 0:
            if deadline is not None and time.monotonic() >= deadline:
                return None
            time.sleep(POLL_S)
        _, status, usage = waited
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return ProgramEnd(status, usage.ru_maxrss, usage.ru_utime + usage.ru_stime)


def _wait(
    program: Program,
    memory: GroupMemory,
    look: Callable[[int], object],
    cancelled: threading.Event,
    failed: threading.Event | None,
) -> tuple[ProgramEnd, bool]:
    """Wait for a program and its group; return its end and whether an event ended it.

    Args:
        program: The program.
        memory: Samples the memory of the group.
        look: Called while it runs.
        cancelled: Ends it when it is set.
        failed: The same, for another reason.
    """
    signalled_at: float | None = None
    tree: list[Process] = []
    try:
        while (end := program.wait(CHECK_S)) is None:
            memory.sample()
            look(program.pid)
            if signalled_at is None and (cancelled.is_set() or (failed and failed.is_set())):
                signalled_at = time.monotonic()
                tree = _signal_tree(program.pid, signal.SIGTERM)
            elif signalled_at is not None and time.monotonic() - signalled_at > GRACE_S:
                _signal_tree(program.pid, signal.SIGKILL)
    except KeyboardInterrupt:
        _wait_or_kill(_signal_tree(program.pid, signal.SIGTERM), time.monotonic() + GRACE_S)
        program.wait(None)
        signal_groups([program.pid], signal.SIGKILL)
        raise
    if signalled_at is not None:
        _wait_or_kill(tree, signalled_at + GRACE_S)
    _end_group(program.pid, GRACE_S if end.status == 0 else 0)
    return end, signalled_at is not None


def limit_memory(pid: int, memory_mib: int) -> None:
    """Limit what a process, and each that it starts, may allocate; the size of files that it maps does not count.

    A program that would take the memory of others then fails as one that ran out of memory.
    """
    if hasattr(resource, "prlimit"):  # Linux
        size = memory_mib << 20
        with suppress(ProcessLookupError, PermissionError, ValueError):  # ended at once; has a lower limit already
            resource.prlimit(pid, resource.RLIMIT_DATA, (size, size))


def _end_group(group: int, grace_s: float) -> None:
    """Wait for the processes that a program left running, such as bash's ``>(gzip)``, and kill those that remain."""
    deadline = time.monotonic() + grace_s
    while signal_groups([group], 0) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    signal_groups([group], signal.SIGKILL)


def _signal_tree(pid: int, number: signal.Signals) -> list[Process]:
    """Signal a process and all its descendants, and return them."""
    import psutil

    try:
        root = psutil.Process(pid)
        tree = [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return []
    signal_groups([pid], number)
    signal_groups([pid], signal.SIGCONT)  # it may have been stopped with Ctrl-Z
    for process in tree:
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getpgid(process.pid) != pid:  # it has left the group
                process.send_signal(number)
    return tree


def _wait_or_kill(tree: Sequence[Process], deadline: float) -> None:
    """Wait for the processes that a program left running when it was signalled; kill them at the deadline."""
    import psutil

    while remaining := [process for process in tree if _is_running(process)]:
        if time.monotonic() > deadline:
            for process in remaining:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            return
        time.sleep(POLL_S)


def _is_running(process: Process) -> bool:
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _mib(maxrss: int) -> int:
    """Convert ``ru_maxrss``, which is in KiB on Linux and in bytes on macOS, to MiB."""
    return maxrss >> (20 if os.uname().sysname == "Darwin" else 10)
