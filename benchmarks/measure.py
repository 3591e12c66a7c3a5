"""Wall time and peak memory of a whole process tree."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

INTERVAL_S = 0.1  # each look costs time too


@dataclass(frozen=True, slots=True)
class Measured:
    """What one command took."""

    seconds: float
    peak_mib: float


def measure(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> Measured:
    """Run a command to its end; memory is the tree's resident set, sampled, shared pages counted once.

    Raises:
        subprocess.CalledProcessError: if it fails.
    """
    started = time.perf_counter()
    process = subprocess.Popen(argv, env=dict(env), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    peak = [0]
    ended = threading.Event()
    sampler = threading.Thread(target=_sample, args=(process.pid, peak, ended))
    sampler.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - started
    ended.set()
    sampler.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, argv, output)
    return Measured(seconds, peak[0] / 2**20)


def _sample(pid: int, peak: list[int], ended: threading.Event) -> None:
    while not ended.wait(INTERVAL_S):
        peak[0] = max(peak[0], _resident(pid))


def _share(process: psutil.Process) -> int:
    """Its resident bytes, what forks share divided among them where the system tells."""
    return process.memory_full_info().pss if psutil.LINUX else process.memory_info().rss


def _resident(pid: int) -> int:
    """Bytes resident in a process and its descendants now."""
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
