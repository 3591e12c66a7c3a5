"""Signals that end or stop a command, and what becomes of the programs of its steps."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.patience import PATIENCE_S

# A command that runs a program, which prints its process id into a FIFO and waits there for another byte.
COMMAND = """
import sys, threading
from pathlib import Path
from genomics_pipeline.cli.signals import end_on_signals
from genomics_pipeline.worker.process import run_process
end_on_signals()
folder = Path(sys.argv[1])
code = "import os, time; f = open('fifo', 'w'); print(os.getpid(), file=f, flush=True); time.sleep(SOON)"
try:
    run_process([sys.executable, "-c", code], folder, folder / "log.txt", threading.Event())
except KeyboardInterrupt:
    sys.exit(130)
""".replace("SOON", str(PATIENCE_S))


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[int]:
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    yield reader
    os.close(reader)


HANGUP = "import signal; signal.signal(signal.SIGHUP, signal.{})\n"


def start(folder: Path, before: str = HANGUP.format("SIG_DFL")) -> subprocess.Popen[bytes]:
    """Start the command as the leader of a session, as a terminal does, after a line of Python code.

    By default the line takes back what the tests inherit if they run under `nohup`.
    """
    argv = [sys.executable, "-c", before + COMMAND, str(folder)]
    return subprocess.Popen(argv, start_new_session=True)


def read(fifo: int) -> bytes:
    assert select.select([fifo], [], [], PATIENCE_S)[0], "nothing was written in time"
    return os.read(fifo, 100)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_signal_ends_the_command_with_its_programs(tmp_path: Path, fifo: int, number: signal.Signals) -> None:
    with start(tmp_path) as command:
        assert int(read(fifo))
        command.send_signal(number)
        assert command.wait(PATIENCE_S) == 130
    assert read(fifo) == b"", "expected the end of the FIFO: no process has it open"


def test_a_hangup_below_nohup_changes_nothing(tmp_path: Path, fifo: int) -> None:
    with start(tmp_path, HANGUP.format("SIG_IGN")) as command:
        assert int(read(fifo))
        command.send_signal(signal.SIGHUP)
        assert command.poll() is None
        command.send_signal(signal.SIGTERM)
        assert command.wait(PATIENCE_S) == 130


def test_ctrl_z_stops_the_programs_and_fg_continues_them(tmp_path: Path, fifo: int) -> None:
    # A session's leader without a terminal is never stopped by SIGTSTP: a child of it is.
    argv = [sys.executable, "-c", COMMAND, str(tmp_path)]
    with subprocess.Popen(argv, process_group=0) as command:
        try:
            program = psutil.Process(int(read(fifo)))
            command.send_signal(signal.SIGTSTP)
            _, status = os.waitpid(command.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
            deadline = time.monotonic() + PATIENCE_S
            while program.status() != psutil.STATUS_STOPPED:  # a signal takes effect when its process is scheduled
                assert time.monotonic() < deadline
                os.sched_yield()
        finally:
            command.send_signal(signal.SIGCONT)
            command.send_signal(signal.SIGTERM)
        assert command.wait(PATIENCE_S) == 130
    assert read(fifo) == b"", "expected the end of the FIFO: no process has it open"
