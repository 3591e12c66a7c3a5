"""The cores and the memory that a run may use on this machine, or in this container."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")  # cgroup v2; "max" if there is no limit
SHARE = 0.9  # of the memory; the rest is for the system and for this process


def capacity() -> tuple[int, int]:
    """Return the cores and the memory, in MiB, that a run may use."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = int(psutil.virtual_memory().total)
    if CGROUP_LIMIT.is_file() and (limit := CGROUP_LIMIT.read_text().strip()).isdigit():
        memory = min(memory, int(limit))
    return cores, int(memory * SHARE) >> 20
