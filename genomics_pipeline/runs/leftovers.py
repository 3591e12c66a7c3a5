"""Processes that a killed run left behind."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

ENDS_IN_S = 10.0  # a killed process ends at once, unless it waits for a disk


def end_leftovers(scratch: Path) -> bool:
    """Kill all processes that work in a folder for temporary files, and return whether there were any.

    The programs of steps work there. The guardian of a killed run ends them; this is for the moments before it has, and
    for a guardian that was killed, too. Call this with the lock of the run.
    """
    if not scratch.is_dir() or not any(scratch.iterdir()):
        return False
    import psutil

    folder = f"{os.path.realpath(scratch)}/"
    leftovers = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.cwd().startswith(folder):
                process.kill()
                leftovers.append(process)
    psutil.wait_procs(leftovers, timeout=ENDS_IN_S)
    return bool(leftovers)
