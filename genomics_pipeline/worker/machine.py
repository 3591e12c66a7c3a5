"""What this machine, or the container we are in, lets a run use."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")  # cgroup v2; "max" where there is no limit
SHARE = 0.9  # the rest is for the system and for us


def capacity() -> tuple[int, int]:
    """The (cores, memory_mib) that a run may use."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = int(psutil.virtual_memory().total)
    if CGROUP_LIMIT.is_file() and (limit := CGROUP_LIMIT.read_text().strip()).isdigit():
        memory = min(memory, int(limit))
    return cores, int(memory * SHARE) >> 20
