"""Wall time and peak memory of a whole process tree."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

INTERVAL_S = 0.1


@dataclass(frozen=True, slots=True)
class Measurement:
    """The time and memory of a command."""

    seconds: float
    peak_mib: float


def measure(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, memory: bool = True) -> Measurement:
    """Run a command to its end and measure it.

    Args:
        argv: The command.
        env: Its environment.
        cwd: Its folder.
        memory: Sample its memory too, see `Peak`, which slows down a command with many processes on all cores.

    Raises:
        subprocess.CalledProcessError: if it fails.
    """
    environment = {**env, "PYTHONDONTWRITEBYTECODE": ""}  # modules are compiled once, as where they are installed
    started = time.perf_counter()
    process = subprocess.Popen(argv, env=environment, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with Peak(process.pid if memory else None) as peak:
        output, _ = process.communicate()
        seconds = time.perf_counter() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, argv, output)
    return Measurement(seconds, peak.mib)


class Peak:
    """The peak memory of a process tree while the block runs: its resident set, sampled, shared pages counted once.

    The peak is 0 without a process.
    """

    def __init__(self, pid: int | None) -> None:
        self.mib = 0.0
        self._ended = threading.Event()
        self._samplers = [threading.Thread(target=self._sample, args=(pid,))] if pid else []

    def __enter__(self) -> Peak:
        for sampler in self._samplers:
            sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for sampler in self._samplers:
            sampler.join()

    def _sample(self, pid: int) -> None:
        while True:
            self.mib = max(self.mib, _resident(pid) / 2**20)
            if self._ended.wait(INTERVAL_S):
                return


def _share(process: psutil.Process) -> int:
    """Return the resident bytes of a process; on Linux, shared pages are divided among the processes."""
    return process.memory_full_info().pss if psutil.LINUX else process.memory_info().rss


def _resident(pid: int) -> int:
    """Return the bytes resident in a process and its descendants now."""
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    total = 0
    for process in tree:
        try:
            total += _share(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total
