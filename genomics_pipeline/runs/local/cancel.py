"""Cancellation of a run in a folder, by interrupting its process."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from genomics_pipeline.model.errors import RunError
from genomics_pipeline.records.holder import Holder
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.runs.backend import CancelledRun
from genomics_pipeline.runs.process_identity import is_alive
from genomics_pipeline.runs.run_folder import RunFolder

GRACE_S = 30.0  # the process ends the programs of its steps first
_LOOK_S = 0.05  # between two looks whether it has ended


def cancel(folder: RunFolder, note: Callable[[str], None]) -> CancelledRun:
    """End the process that runs in a folder, if there is one.

    Args:
        folder: The folder of the run.
        note: Shows a line of progress.

    Raises:
        RunError: if the process cannot be reached from here, belongs to another user, or does not end.
    """
    holder = folder.holder()
    if holder is not None:
        _end(folder, holder, note)
    return CancelledRun(folder.name, folder.status(), process=holder.pid if holder else None)


def _end(folder: RunFolder, holder: Holder, note: Callable[[str], None]) -> None:
    import psutil

    if not is_alive(holder):  # it runs elsewhere: here, its id may belong to another process
        command = command_line("cancel", str(folder.path))
        raise RunError(f"{folder.path}: {holder} is running, out of reach from here; cancel it there: {command}")
    try:
        process = psutil.Process(holder.pid)
        for number in (signal.SIGINT, signal.SIGTERM):
            note(f"ending process {holder.pid} ({number.name})")
            process.send_signal(number)
            if _has_ended(holder, GRACE_S):
                return
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied:
        raise RunError(f"{folder.path}: process {holder.pid} belongs to another user, who can cancel it") from None
    raise RunError(f"{folder.path}: process {holder.pid} is still running {2 * GRACE_S:g} s after SIGINT and SIGTERM")


def _has_ended(holder: Holder, seconds: float) -> bool:
    """Wait for the end of a process, and return whether it ended; its parent, which may never reap it, does not matter.

    Args:
        holder: The process.
        seconds: The longest time to wait.
    """
    deadline = time.monotonic() + seconds
    while is_alive(holder):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_S)
    return True
