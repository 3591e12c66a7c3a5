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

SOON_S = 60.0  # long before this something is wrong; nothing waits for it

# Says "ready" on a FIFO and holds it open until it ends; a child does so too, and ignores SIGTERM if asked.
FAMILY = """
import os, signal, sys, time
fifo, stubborn = sys.argv[1], sys.argv[2]
held = os.open(fifo, os.O_WRONLY)
os.set_inheritable(held, True)
if os.fork() == 0:
    if stubborn in ("child", "both"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(held, b"c")
    while True:
        time.sleep(SOON)
if stubborn == "both":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(held, b"p")
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
def test_the_exit_code_is_the_program_s(run: Callable[..., ProcessEnd], code: int) -> None:
    end = run(f"raise SystemExit({code})")
    assert (end.exit_code, end.cancelled) == (code, False)
    assert end.seconds > 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_signal_is_told_as_a_shell_does(run: Callable[..., ProcessEnd], number: signal.Signals) -> None:
    code = f"import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.kill(os.getpid(), {number})"
    end = run(code)
    assert (end.exit_code, end.cancelled) == (128 + number, False)


def test_the_log_has_both_streams_and_what_was_there(run: Callable[..., ProcessEnd], tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("before\n")
    run("import sys, os; print(os.getcwd(), flush=True); print('told', file=sys.stderr)")
    assert (tmp_path / "log.txt").read_text() == f"before\n{tmp_path}\ntold\n"


def test_standard_input_is_empty(run: Callable[..., ProcessEnd]) -> None:
    assert run("import sys; raise SystemExit(len(sys.stdin.read()))").exit_code == 0


def test_the_peak_memory_is_that_of_the_largest_process(run: Callable[..., ProcessEnd]) -> None:
    ours_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)
    small, large = run("pass"), run("len(bytearray(600 << 20))")
    assert 1 < small.peak_memory_mib <= ours_mib + 50
    assert 600 <= large.peak_memory_mib < max(900, ours_mib + 50)


def test_ctrl_c_is_not_for_the_program(run: Callable[..., ProcessEnd]) -> None:
    assert run("import os, signal; os.kill(os.getpid(), signal.SIGINT); raise SystemExit(7)").exit_code == 7
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ()), "ours is as it was"


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
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
            ready += waited(reader)
    finally:
        cancelled.set()
        runner.join(SOON_S)
    assert sorted(ready) == sorted(b"pc")
    assert [(end.exit_code, end.cancelled) for end in ends] == [(128 + number, True)]
    assert waited(reader) == b"", "the end of the FIFO: no process holds it"
    os.close(reader)


def test_an_interruption_ends_the_program_and_its_children(run: Callable[..., ProcessEnd], tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            ready = b""
            while len(ready) < 2:  # the program and its child
                ready += waited(reader)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(FAMILY, str(fifo), "none", cancelled=Interrupted())
    assert waited(reader) == b"", "the end of the FIFO: no process holds it"
    os.close(reader)


def waited(reader: int) -> bytes:
    assert select.select([reader], [], [], SOON_S)[0], "nothing was said in time"
    return os.read(reader, 2)
