"""The lock of a run folder: one process at a time runs in it, whichever machine it is on.

The kernel's lock (flock) decides between processes of one machine, and between machines where the file system shares
locks; it ends with the process, however that ends. File systems exist without locks, and others keep them for each
machine by itself. There a heartbeat decides: the holder renews the time of its record, and an older time than
`LIMIT_S` means that it is gone. Times are those of the file system, so that clocks may differ. The name of a host
decides nothing.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.records.holder import UNRECORDED, Holder, read_holder, write_holder
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.runs.process_identity import is_alive, is_in_reach, is_on_this_machine, this_process
from genomics_pipeline.stores.open_folder import open_own_file
from genomics_pipeline.stores.protocol import Store

PERIOD_S = 10.0  # between two heartbeats
LIMIT_S = 60.0  # several heartbeats, since a file server may pause
PROBE_S = 2.0  # a command that only looks holds the lock for an instant
POLL_S = 0.05
NAP_S = 1.0


class RunLock:
    """The lock of one run folder.

    Args:
        path: The run folder.
        store: The store of its files.
        record: The URI of the record of the process that holds it.
    """

    def __init__(self, path: Path, store: Store, record: str) -> None:
        self._folder = path
        self._lock = path / run_layout.LOCK
        self._record = path / run_layout.HOLDER
        self._store = store
        self._uri = record
        self._token = ""
        self.lost = False

    def holder(self) -> Holder | None:
        """Return the process that runs in the folder; None where there is none."""
        held, holder = self._is_held(), self._recorded()
        if held:
            return holder or UNRECORDED
        if holder is None or self._is_gone(holder, held):
            return None
        return holder

    def _is_gone(self, holder: Holder, held: bool | None) -> bool:
        """Return whether a recorded process, which does not visibly hold the lock, has ended.

        Args:
            holder: The process.
            held: False if the lock is free, None if the file system has no locks.
        """
        if held is False and is_on_this_machine(holder):
            return True  # a machine always shares its locks with itself
        if held is None and is_in_reach(holder):
            return not is_alive(holder)
        # A heartbeat in the future is old, too: the clock was set back, and a living holder would have renewed it.
        return abs(self._seconds_since_heartbeat()) > LIMIT_S

    def _is_held(self) -> bool | None:
        """Return whether another process holds the lock; None if that cannot be known."""
        try:
            descriptor = os.open(self._lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return False
        except OSError:
            return None
        try:
            return _try_lock(descriptor, fcntl.LOCK_SH) is False
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def _recorded(self) -> Holder | None:
        return read_holder(self._store, self._uri)

    @contextmanager
    def hold(self, note: Callable[[str], None]) -> Iterator[None]:
        """Hold the lock, with a heartbeat; the kernel releases it also when the process is killed.

        Args:
            note: Shows a line to the user.

        Raises:
            RunError: if another process holds it.
            LeadsOutside: if a link is in its place.
        """
        descriptor = open_own_file(self._lock, self._folder, os.O_RDWR)
        try:
            locks = self._acquire(descriptor)
            self._wait_for_other_machine(locks, note)
            with self._heartbeat(note):
                yield
        finally:
            os.close(descriptor)  # releases the lock

    def _acquire(self, descriptor: int) -> bool | None:
        """Take the kernel's lock; return False if it is free for this machine, None if there are no locks here."""
        deadline = time.monotonic() + PROBE_S
        try:
            while not _try_lock(descriptor, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise self._refusal(self._recorded() or UNRECORDED)
                time.sleep(POLL_S)
        except OSError:
            return None
        return False

    def _wait_for_other_machine(self, locks: bool | None, note: Callable[[str], None]) -> None:
        """Wait until the heartbeat of a process on another machine has stopped for long enough.

        Raises:
            RunError: if the process lives.
        """
        holder = self._recorded()
        if holder is None or self._is_gone(holder, locks):
            return
        if is_in_reach(holder):
            raise self._refusal(holder)
        first, deadline = self._heartbeat_time(), time.monotonic() + LIMIT_S
        note(f"{self._folder}: {holder} was running here: waiting up to {LIMIT_S:g} s to see whether it still is")
        while not self._is_gone(holder, locks) and time.monotonic() < deadline:
            if self._heartbeat_time() not in (first, None):
                raise self._refusal(holder)
            time.sleep(NAP_S)

    def _refusal(self, holder: Holder) -> RunError:
        advice = f"wait for it, or end it: {command_line('cancel', str(self._folder))}"
        return RunError(f"{self._folder}: {holder} is running in this folder; {advice}")

    @contextmanager
    def _heartbeat(self, note: Callable[[str], None]) -> Iterator[None]:
        """Record this process as the holder, and renew the time of the record until the end."""
        mine = this_process()
        write_holder(self._store, self._uri, mine)
        self._token = mine.token
        ended = threading.Event()
        beat = threading.Thread(target=self._renew, args=(ended, note), name="heartbeat", daemon=True)
        beat.start()
        try:
            yield
        finally:
            ended.set()
            beat.join()
            if self._is_mine():
                self._record.unlink(missing_ok=True)

    def _renew(self, ended: threading.Event, note: Callable[[str], None]) -> None:
        while not ended.wait(PERIOD_S):
            if not self._is_mine():
                self.lost = True
                note(f"{self._folder}: another process has taken this folder over, so that this one ends")
                os.kill(os.getpid(), signal.SIGINT)
                return
            with suppress(OSError):  # a file server that pauses
                os.utime(self._record)

    def _is_mine(self) -> bool:
        """Return whether no other process has recorded itself as the holder."""
        try:
            holder = self._recorded()
        except OSError:
            return True
        return holder is None or holder.token == self._token

    def _heartbeat_time(self) -> int | None:
        """Return the time of the last heartbeat in nanoseconds; None if the holder has removed its record since.

        Opening the file makes NFS ask its server for the time.
        """
        try:
            with self._record.open("rb") as file:
                return os.fstat(file.fileno()).st_mtime_ns
        except FileNotFoundError:
            return None

    def _seconds_since_heartbeat(self) -> float:
        """Return the age of the last heartbeat, by the clock of the file system."""
        beat = self._heartbeat_time()
        return LIMIT_S + 1 if beat is None else (self._file_system_time() - beat) / 1e9

    def _file_system_time(self) -> int:
        try:
            descriptor = os.open(self._lock, os.O_WRONLY | os.O_NOFOLLOW)
        except OSError:  # somebody who may only look
            return time.time_ns()
        try:
            os.utime(descriptor)
            return os.fstat(descriptor).st_mtime_ns
        finally:
            os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
    """Lock a file if it is free, and return whether it was.

    Raises:
        OSError: if the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
