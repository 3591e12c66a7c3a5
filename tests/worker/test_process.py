"""The process of a step's program: its end, its children and its memory."""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.worker import group_memory, process
from genomics_pipeline.worker.interpreters import Interpreters
from genomics_pipeline.worker.process import ProcessEnd, run_process
from genomics_pipeline.worker.process_groups import GROUPS
from tests.patience import PATIENCE_S

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
""".replace("SOON", str(PATIENCE_S))


# A child that never ends, of a program that does.
ORPHAN = """
import os, signal, sys, time
read, write = os.pipe()
if os.fork() == 0:
    writer = os.open(sys.argv[1], os.O_WRONLY)
    os.write(writer, b"c")
    os.close(write)
    while True:
        time.sleep(SOON)
os.close(write)
os.read(read, 1)
raise SystemExit(CODE)
""".replace("SOON", str(PATIENCE_S))

RUNNER = """
import sys, threading
from pathlib import Path
from genomics_pipeline.worker.interpreters import Interpreters
from genomics_pipeline.worker.process import run_process
folder, is_forked, *argv = sys.argv[1:]
interpreters = Interpreters() if is_forked else None
log = Path(folder, "log.txt")
run_process([sys.executable, *argv], Path(folder), log, threading.Event(), interpreters=interpreters)
"""


@pytest.fixture(params=["executed", "forked"])
def run(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., ProcessEnd]:
    interpreters = Interpreters() if request.param == "forked" else None

    def call(code: str, *arguments: str, cancelled: threading.Event | None = None, **options: Any) -> ProcessEnd:
        argv = [sys.executable, program(tmp_path, code), *arguments]
        event = cancelled or threading.Event()
        return run_process(argv, tmp_path, tmp_path / "log.txt", event, interpreters=interpreters, **options)

    return call


def program(folder: Path, code: str) -> str:
    """Return the path of a program in a folder of its own."""
    path = folder / "program" / "program.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(code)
    return str(path)


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


def test_the_peak_memory_counts_processes_together(
    run: Callable[..., ProcessEnd], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    groups = []

    def sample(group: int) -> int:
        groups.append(group)
        fifo.write_text("sampled")  # the program ends
        return 123_456

    monkeypatch.setattr(group_memory, "PERIOD_S", 0.0)
    monkeypatch.setattr(group_memory, "SHARE", 1e-9)  # no second sample
    monkeypatch.setattr(group_memory, "group_mib", sample)
    end = run("import os, sys; print(os.getpgrp(), flush=True); open(sys.argv[1]).read()", str(fifo))
    assert end.peak_memory_mib == 123_456
    assert (tmp_path / "log.txt").read_text() == f"{groups[0]}\n"


def test_the_processor_time_is_that_of_all_cores(run: Callable[..., ProcessEnd]) -> None:
    work = "import os, time\nchild = os.fork()\nwhile time.process_time() < 0.2: pass\nchild and os.wait()"
    assert 0.4 <= run(work).processor_seconds < 5


def test_no_signal_of_the_terminal_reaches_the_program(run: Callable[..., ProcessEnd]) -> None:
    assert run("import os; raise SystemExit(os.getpgrp() != os.getpid())").exit_code == 0


def test_the_end_of_a_program_includes_that_of_its_children(run: Callable[..., ProcessEnd], tmp_path: Path) -> None:
    """As bash's `>(gzip > file)`: the child writes once its parent has ended."""
    code = """
import os
read, write = os.pipe()
if os.fork() == 0:
    os.close(write)
    os.read(read, 1)
    with open("late", "w") as file:
        file.write("x")
"""
    assert run(code).exit_code == 0
    assert (tmp_path / "late").read_text() == "x"


@pytest.mark.parametrize("code", [0, 1])
def test_a_child_that_never_ends_is_killed_with_its_program(
    run: Callable[..., ProcessEnd], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(process, "GRACE_S", 0.1)
    reader = open_fifo(tmp_path / "fifo")
    end = run(ORPHAN.replace("CODE", str(code)), str(tmp_path / "fifo"))
    assert end.exit_code == code
    assert read_fifo(reader) == b"c"
    assert read_fifo(reader) == b"", "expected the end of the FIFO: no process has it open"
    os.close(reader)


@pytest.mark.parametrize("forked", ["", "forked"])
@pytest.mark.parametrize("stubborn", ["none", "both"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT])
def test_no_process_outlives_the_killed_runner(
    tmp_path: Path, forked: str, stubborn: str, number: signal.Signals
) -> None:
    fifo = tmp_path / "fifo"
    reader = open_fifo(fifo)
    argv = [sys.executable, "-c", RUNNER, str(tmp_path), forked, program(tmp_path, FAMILY), str(fifo), stubborn]
    with subprocess.Popen(argv, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0))) as runner:
        ready = b""
        while len(ready) < 2:
            ready += read_fifo(reader)
        runner.send_signal(number)
    assert read_fifo(reader) == b"", "expected the end of the FIFO: no process has it open"
    os.close(reader)


def test_a_killed_guardian_is_replaced(run: Callable[..., ProcessEnd]) -> None:
    assert run("pass").exit_code == 0
    first = GROUPS._guardian
    assert first is not None
    first.kill()
    first.wait()
    assert [run("pass").exit_code for _ in range(2)] == [0, 0]
    assert GROUPS._guardian not in (None, first)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux")
def test_the_memory_of_a_program_and_its_children_is_limited(run: Callable[..., ProcessEnd], tmp_path: Path) -> None:
    code = "import sys, os; child = os.fork(); bytearray(int(sys.argv[1]) << 20); child or os._exit(0); os.wait()"
    for mib, wanted in ((50, 0), (2000, 1)):
        assert run(code, str(mib), memory_mib=300).exit_code == wanted
    assert "MemoryError" in (tmp_path / "log.txt").read_text()


def test_the_environment_of_the_program(run: Callable[..., ProcessEnd]) -> None:
    code = "import os; raise SystemExit(os.environ.get('A') != 'b' or 'HOME' in os.environ)"
    assert run(code, environment={"A": "b"}).exit_code == 0


def test_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_process(["./no-such-program"], tmp_path, tmp_path / "log.txt", threading.Event())


@pytest.mark.parametrize(("stubborn", "number"), [("none", 15), ("child", 15), ("both", 9)])
def test_cancelling_ends_the_program_and_its_children(
    run: Callable[..., ProcessEnd], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stubborn: str, number: int
) -> None:
    if stubborn == "both":
        monkeypatch.setattr(process, "GRACE_S", 0.2)
    elif stubborn == "child":  # its parent has any time to end, and the child little more
        wait_or_kill = process._wait_or_kill
        monkeypatch.setattr(process, "GRACE_S", PATIENCE_S)
        monkeypatch.setattr(process, "_wait_or_kill", lambda tree, end: wait_or_kill(tree, end - PATIENCE_S))
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
        runner.join(PATIENCE_S)
    assert sorted(ready) == sorted(b"pc")
    assert [(end.exit_code, end.cancelled) for end in ends] == [(128 + number, True)]
    assert read_fifo(reader) == b"", "expected the end of the FIFO: no process has it open"
    os.close(reader)


def test_an_interruption_ends_the_program_and_its_children(run: Callable[..., ProcessEnd], tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    class Interrupted(threading.Event):
        def is_set(self) -> bool:
            ready = b""
            while len(ready) < 2:  # the program and its child
                ready += read_fifo(reader)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(FAMILY, str(fifo), "none", cancelled=Interrupted())
    assert read_fifo(reader) == b"", "expected the end of the FIFO: no process has it open"
    os.close(reader)


def open_fifo(path: Path) -> int:
    os.mkfifo(path)
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK)


def read_fifo(reader: int) -> bytes:
    assert select.select([reader], [], [], PATIENCE_S)[0], "nothing was written in time"
    return os.read(reader, 2)


def test_python_has_nothing_to_warn_of_at_the_end() -> None:
    code = "from genomics_pipeline.worker.process_groups import GROUPS\nwith GROUPS.running(1 << 30): pass"
    ended = subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-c", code], capture_output=True, check=True)
    assert ended.stderr == b""
