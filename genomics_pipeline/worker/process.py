"""A step's program as a process: ended with all its children when it must, its peak memory known."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from psutil import Process

POLL_S = 0.01
GRACE_S = 10.0  # between SIGTERM and SIGKILL; AWS gives a container 30


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """How a process ended.

    Attributes:
        exit_code: As a shell gives it: 128 and the signal's number where one ended it.
        seconds: How long it ran.
        peak_memory_mib: Most memory resident in it or in one of its children; never less than what we had ourselves
            when it began, for Linux counts what a process was before it became another program.
        cancelled: It was told to end.
    """

    exit_code: int
    seconds: float
    peak_memory_mib: int
    cancelled: bool


def run_process(
    argv: Sequence[str], cwd: Path, log: Path, cancelled: threading.Event, failed: threading.Event | None = None
) -> ProcessEnd:
    """Run a program to its end, its output appended to the log; told to end by either event.

    It stays in our process group, so that whatever kills the group kills it too; Ctrl-C is for us to hand on.

    Raises:
        OSError: if it cannot be started.
    """
    started = time.monotonic()
    with log.open("ab") as out:
        process = _start(argv, cwd, out)
    told_at: float | None = None
    tree: list[Process] = []
    try:
        while (waited := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            if told_at is None and (cancelled.wait(POLL_S) or (failed and failed.is_set())):
                told_at = time.monotonic()
                tree = _signal_tree(process.pid, signal.SIGTERM)
            elif told_at is not None:
                time.sleep(POLL_S)
                if time.monotonic() - told_at > GRACE_S:
                    _signal_tree(process.pid, signal.SIGKILL)
    except KeyboardInterrupt:
        _outlive(_signal_tree(process.pid, signal.SIGTERM), time.monotonic() + GRACE_S)
        process.wait()
        raise
    if told_at is not None:
        _outlive(tree, told_at + GRACE_S)
    _, status, usage = waited
    process.returncode = os.waitstatus_to_exitcode(status)
    code = process.returncode if process.returncode >= 0 else 128 - process.returncode
    return ProcessEnd(code, time.monotonic() - started, _mib(usage.ru_maxrss), told_at is not None)


def _start(argv: Sequence[str], cwd: Path, out: IO[bytes]) -> subprocess.Popen[bytes]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return subprocess.Popen(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _signal_tree(pid: int, number: signal.Signals) -> list[Process]:
    """Signal a process and all below it; which they were."""
    import psutil

    try:
        root = psutil.Process(pid)
        tree = [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return []
    for process in tree:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    return tree


def _outlive(tree: Sequence[Process], deadline: float) -> None:
    """Wait for what a program left running when it was told to end; kill it at the deadline."""
    import psutil

    while remaining := [process for process in tree if _runs(process)]:
        if time.monotonic() > deadline:
            for process in remaining:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            return
        time.sleep(POLL_S)


def _runs(process: Process) -> bool:
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _mib(maxrss: int) -> int:
    """``ru_maxrss`` is in KiB on Linux, in bytes on macOS."""
    return maxrss >> (20 if os.uname().sysname == "Darwin" else 10)
