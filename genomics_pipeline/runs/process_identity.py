"""The identity of a process: its id alone is reused by other processes, machines and containers."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

from genomics_pipeline.records.holder import Holder

_PROC = Path("/proc")
_START_FIELD = 22  # of /proc/PID/stat, proc_pid_stat(5): the start in clock ticks since the boot of the machine

_ENDED = ("Z", "X")  # the third field: a zombie, whose id is still taken, and a dead process


def this_process() -> Holder:
    """Return the identity of this process."""
    return Holder(
        pid=os.getpid(),
        host=socket.gethostname(),
        machine=_machine(),
        namespace=_namespace(),
        started=_start(os.getpid()) or "",
        token=uuid.uuid4().hex,
    )


def is_on_this_machine(holder: Holder) -> bool:
    """Return whether a process belongs to the kernel of this one, perhaps in another container."""
    return holder.machine == _machine()


def is_in_reach(holder: Holder) -> bool:
    """Return whether this process sees another under the id that it has for itself."""
    return is_on_this_machine(holder) and holder.namespace == _namespace()


def is_alive(holder: Holder) -> bool:
    """Return whether a process in reach still runs: its id has not been given to another one."""
    return is_in_reach(holder) and _start(holder.pid) == holder.started


def _machine() -> str:
    """Return the boot id of Linux; elsewhere the machine's hardware address."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"{uuid.getnode():x}"


def _namespace() -> str:
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""


def _start(pid: int) -> str | None:
    """Return the start of a process; None if there is no such process, or it has ended and its parent has not noticed.

    Linux's own count is taken: psutil adds the time of the boot, which changes when the clock is set.
    """
    if (_PROC / "self/stat").exists():
        try:
            stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()  # from the third on; the second is the name, which may hold spaces
        return None if fields[0] in _ENDED else fields[_START_FIELD - 3]
    import psutil

    try:
        return str(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None
