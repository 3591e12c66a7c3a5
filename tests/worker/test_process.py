"""The process of a step's program: its end, its children and its memory."""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from genomics_pipeline.worker import process
from genomics_pipeline.worker.process import ProcessEnd, run_process

SOON_S = 60.0  # a limit that is reached only if something is wrong

# Writes a byte to a FIFO and keeps it open to its end, as does a child of it; either may ignore SIGTERM.
FAMILY = """
import os, signal, sys, time
fifo, stubborn = sys.argv[1], sys.argv[2]
writer = os.open(fifo, os.O_WRONLY)
os.set_inheritable(writer, True)
if os.fork() == 0:
    if stubborn in ("child", "both"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(writer, b"c")
    while True:
        time.sleep(SOON)
if stubborn == "both":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(writer, b"p")
while True:
    time.sleep(SOON)
""".replace("SOON", str(SOON_S))


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., ProcessEnd]:
    def call(code: str, *arguments: str, cancelled: threading.Event | None = None) -> ProcessEnd:
        argv = [sys.executable, "-c", code, *arguments]
        return run_process(argv, tmp_path, tmp_path / "log.txt", cancelled or threading.Event())

    return call


@pytest.mark.parametrize("code", [0, 1, 65, 255])
def test_the_exit_code_is_that_of_the_program(run: Callable[..., ProcessEnd], code: int) -> None:
    end = run(f"raise SystemExit({code})")
    assert (end.exit_code, end.cancelled) == (code, False)
    assert end.seconds > 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_signal_gives_the_exit_code_of_a_shell(run: Callable[..., ProcessEnd], number: signal.Signals) -> None:
    code = f"import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.kill(os.getpid(), {number})"
    end = run(code)
    assert (end.exit_code, end.cancelled) == (128 + number, False)


def test_both_streams_are_appended_to_the_log(run: Callable[..., ProcessEnd], tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("before\n")
    run("import sys, os; print(os.getcwd(), flush=True); print('error', file=sys.stderr)")
    assert (tmp_path / "log.txt").read_text() == f"before\n{tmp_path}\nerror\n"


def test_standard_input_is_empty(run: Callable[..., ProcessEnd]) -> None:
    assert run("import sys; raise SystemExit(len(sys.stdin.read()))").exit_code == 0


def test_the_peak_memory_is_that_of_the_largest_process(run: Callable[..., ProcessEnd]) -> None:
    ours_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)
    small, large = run("pass"), run("len(bytearray(600 << 20))")
    assert 1 < small.peak_memory_mib <= ours_mib + 50
    assert 600 <= large.peak_memory_mib < max(900, ours_mib + 50)


def test_the_program_does_not_receive_ctrl_c(run: Callable[..., ProcessEnd]) -> None:
    assert run("import os, signal; os.kill(os.getpid(), signal.SIGINT); raise SystemExit(7)").exit_code == 7
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ()), "the mask of this process is restored"


def test_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_process(["./no-such-program"], tmp_path, tmp_path / "log.txt", threading.Event())


@pytest.mark.parametrize(("stubborn", "number"), [("none", 15), ("child", 15), ("both", 9)])
def test_cancelling_ends_the_program_and_its_children(
    run: Callable[..., ProcessEnd], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stubborn: str, number: int
) -> None:
    if stubborn != "none":
        monkeypatch.setattr(process, "GRACE_S", 0.2)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    cancelled, ends = threading.Event(), []
    runner = threading.Thread(target=lambda: ends.append(run(FAMILY, str(fifo), stubborn, cancelled=cancelled)))
    runner.start()
    try:
        ready = b""
        while len(ready) < 2:
            ready += read_fifo(reader)
    finally:
        cancelled.set()
        runner.join(SOON_S)
    assert sorted(ready) == sorted(b"pc")
    assert [(end.exit_code, end.cancelled) for end in ends] == [(128 + number, True)]
    assert read_fifo(reader) == b"", "expected the end of the FIFO: no process has it open"
    os.close(reader)


def test_an_interruption_ends_the_program_and_its_children(run: Callable[..., ProcessEnd], tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            ready = b""
            while len(ready) < 2:  # the program and its child
                ready += read_fifo(reader)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(FAMILY, str(fifo), "none", cancelled=Interrupted())
    assert read_fifo(reader) == b"", "expected the end of the FIFO: no process has it open"
    os.close(reader)


def read_fifo(reader: int) -> bytes:
    assert select.select([reader], [], [], SOON_S)[0], "nothing was written in time"
    return os.read(reader, 2)
