"""The process groups of the programs that this process runs, none of which outlives it."""

from __future__ import annotations

import atexit
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from genomics_pipeline.worker import guardian
from genomics_pipeline.worker.guardian import signal_groups


class ProcessGroups:
    """The running groups, which a guardian ends when this process is killed; see `guardian`.

    The guardian is a process in a session of its own, on every system: Linux's parent-death signal reaches only the
    program itself, not the processes that it starts.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._guardian: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def prepare(self) -> None:
        """Start the guardian, so that a program that is started next is soon known to it."""
        with self._lock:
            self._guardian = self._guardian or _start_guardian()

    @contextmanager
    def running(self, group: int) -> Iterator[None]:
        """End a group if this process ends within the context."""
        self._change(b"+", group)
        try:
            yield
        finally:
            self._change(b"-", group)

    def signal(self, number: int) -> None:
        """Signal all groups that run now."""
        signal_groups(list(self._running), number)

    def _change(self, sign: bytes, group: int) -> None:
        with self._lock:
            (self._running.add if sign == b"+" else self._running.discard)(group)
            try:
                self._send(sign, group)
            except BrokenPipeError:  # somebody has killed the guardian
                self.close()
                for each in self._running:
                    self._send(b"+", each)

    def close(self) -> None:
        """End the guardian, which ends the groups that still run."""
        if self._guardian is not None and self._guardian.stdin is not None:
            self._guardian.stdin.close()
            with suppress(subprocess.TimeoutExpired):  # a fork of this process may hold the other end
                self._guardian.wait(2 * guardian.GRACE_S)
        self._guardian = None

    def _send(self, sign: bytes, group: int) -> None:
        self._guardian = self._guardian or _start_guardian()
        assert self._guardian.stdin is not None
        self._guardian.stdin.write(sign + str(group).encode() + b"\n")


GROUPS = ProcessGroups()


def _start_guardian() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", guardian.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd="/",
        start_new_session=True,  # no signal of a terminal reaches it
    )
