"""The lock of a run folder: on one machine, on another one, after a kill, and on file systems without locks."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.model.errors import RunError
from genomics_pipeline.records.holder import UNRECORDED, Holder, write_holder
from genomics_pipeline.runs.process_identity import is_alive, this_process
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.runs.run_lock import LIMIT_S, RunLock
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.open_folder import LeadsOutside

HOLD = """
import sys
from pathlib import Path
from genomics_pipeline.runs.run_folder import RunFolder
folder = RunFolder(Path(sys.argv[1]))
folder.create()
with folder.lock(print):
    print("held", flush=True)
    sys.stdin.read()
"""


class Now(threading.Event):
    """An event that is waited for once, without a pause."""

    def wait(self, timeout: float | None = None) -> bool:
        was_set = self.is_set()
        self.set()
        return was_set


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "my run")
    run.create()
    return run


@pytest.fixture
def other(folder: RunFolder) -> Iterator[subprocess.Popen[str]]:
    """Yield another process that holds the lock of the folder."""
    argv = [sys.executable, "-c", HOLD, str(folder.path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def record(folder: RunFolder) -> Path:
    return folder.path / ".engine" / "holder.json"


def leave(folder: RunFolder, holder: Holder, age_s: float = 0) -> None:
    """Write the record of a process that does not hold the kernel's lock, with its last heartbeat some time ago."""
    (folder.path / ".engine" / "lock").touch()
    write_holder(LocalStore(), str(record(folder)), holder)
    moment = time.time() - age_s
    os.utime(record(folder), (moment, moment))


def without_locks(descriptor: int, operation: int) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


def note(text: str) -> None:
    pass


def test_a_second_process_is_refused_and_a_killed_one_is_gone(folder: RunFolder, other: subprocess.Popen[str]) -> None:
    holder = folder.holder()
    assert holder is not None
    assert (holder.pid, is_alive(holder)) == (other.pid, True)
    with pytest.raises(RunError) as error, folder.lock(note):
        pass
    advice = f"wait for it, or end it: genomics-pipeline cancel '{folder.path}'"
    assert str(error.value) == f"{folder.path}: {holder} is running in this folder; {advice}"
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert record(folder).exists()
    assert folder.holder() is None
    with folder.lock(note):
        mine = folder.holder()
        assert mine is not None
        assert mine.pid == os.getpid()
    assert folder.holder() is None


def test_a_lock_without_a_record_is_held_by_somebody(folder: RunFolder, other: subprocess.Popen[str]) -> None:
    record(folder).write_text("")
    assert folder.holder() is UNRECORDED
    with pytest.raises(RunError, match="a process is running in this folder"), folder.lock(note):
        pass


@pytest.mark.parametrize(
    ("changes", "age_s", "is_running"),
    [
        ({"host": "nodeA"}, 0, False),  # the host was renamed: the free lock of this machine decides
        ({"namespace": "pid:[7]"}, 0, False),  # a container of this machine
        ({"pid": 1}, 0, False),
        ({"machine": "another"}, 0, True),  # its locks may not be shared, but its heart beats
        ({"machine": "another"}, LIMIT_S - 5, True),
        ({"machine": "another"}, LIMIT_S + 5, False),
        ({"machine": "another"}, -LIMIT_S - 5, False),  # the clock was set back since
        ({"machine": "another"}, -1e9, False),
    ],
)
def test_a_free_lock(folder: RunFolder, changes: dict[str, Any], age_s: float, is_running: bool) -> None:
    leave(folder, replace(this_process(), **changes), age_s)
    assert (folder.holder() is not None) is is_running


@pytest.mark.parametrize(
    ("changes", "age_s", "is_running"),
    [
        ({}, LIMIT_S * 9, True),  # this very process: no heartbeat is needed to know that
        ({"host": "nodeA"}, LIMIT_S * 9, True),
        ({"started": "1"}, 0, False),  # its id belongs to a later process
        ({"namespace": "pid:[7]"}, 0, True),
        ({"namespace": "pid:[7]"}, LIMIT_S + 5, False),
        ({"machine": "another"}, 0, True),
        ({"machine": "another"}, LIMIT_S + 5, False),
    ],
)
def test_a_file_system_without_locks(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], age_s: float, is_running: bool
) -> None:
    monkeypatch.setattr(fcntl, "flock", without_locks)
    leave(folder, replace(this_process(), **changes), age_s)
    assert (folder.holder() is not None) is is_running


def test_a_run_works_where_there_are_no_locks(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", without_locks)
    with folder.lock(note):
        with pytest.raises(RunError, match="is running in this folder"), RunFolder(folder.path).lock(note):
            pass
        assert folder.holder() is not None
    assert folder.holder() is None


def test_a_lost_machine_is_waited_for_and_then_replaced(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = replace(this_process(), host="nodeA", pid=7, machine="another")
    leave(folder, elsewhere)
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:  # meanwhile the clock of the file system went on
            (folder.path / ".engine" / "lock").touch()
            monkeypatch.setattr("genomics_pipeline.runs.run_lock.LIMIT_S", -1)

    monkeypatch.setattr(time, "sleep", pause)
    notes: list[str] = []
    with folder.lock(notes.append):
        holder = folder.holder()
        assert holder is not None
        assert holder.pid == os.getpid()
    assert len(waits) == 3
    assert notes == [
        f"{folder.path}: process 7 on nodeA was running here: waiting up to 60 s to see whether it still is"
    ]


def test_the_wait_for_a_lost_machine_ends_whatever_its_clock_says(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(folder, replace(this_process(), pid=7, machine="another"), age_s=5 - LIMIT_S)
    moments = itertools.count(time.monotonic(), LIMIT_S / 2)
    monkeypatch.setattr(time, "monotonic", lambda: next(moments))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with folder.lock(note):
        assert folder.holder() is not None


def test_a_machine_that_ends_during_the_wait_is_not_waited_for(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(folder, replace(this_process(), pid=7, machine="another"))
    waited: list[float] = []

    def end(seconds: float) -> None:
        waited.append(seconds)
        record(folder).unlink()

    monkeypatch.setattr(time, "sleep", end)
    with folder.lock(note):
        assert len(waited) == 1


def test_a_machine_whose_heart_beats_is_refused(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(folder, replace(this_process(), host="nodeA", pid=7, machine="another"), age_s=9)
    monkeypatch.setattr(time, "sleep", lambda seconds: os.utime(record(folder)))
    with pytest.raises(RunError, match="process 7 on nodeA is running in this folder"), folder.lock(note):
        pass


def test_the_heartbeat_renews_the_record_and_notices_another_holder(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = RunLock(folder.path, folder.store, folder.uri(".engine/holder.json"))
    notes: list[str] = []
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append((pid, number)))
    with lock.hold(notes.append):
        os.utime(record(folder), (0, 0))
        lock._renew(Now(), notes.append)
        assert time.time() - record(folder).stat().st_mtime < LIMIT_S
        assert (notes, signals, lock.lost) == ([], [], False)
        successor = replace(this_process(), machine="another")
        write_holder(LocalStore(), str(record(folder)), successor)
        lock._renew(Now(), notes.append)
        assert notes == [f"{folder.path}: another process has taken this folder over, so that this one ends"]
        assert (signals, lock.lost) == ([(os.getpid(), signal.SIGINT)], True)
    assert record(folder).exists()  # it is the successor's


def test_a_planted_link_is_not_followed(folder: RunFolder, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    (folder.path / ".engine" / "lock").symlink_to(target)
    with pytest.raises(LeadsOutside) as error, folder.lock(note):
        pass
    lock = folder.path / ".engine" / "lock"
    message = f"{lock}: expected a file, found a symbolic link to {target}; remove the link, then run again"
    assert str(error.value) == message
    assert not target.exists()
