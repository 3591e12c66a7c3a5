"""The first process of a container: a PID namespace of its own stands for one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from genomics_pipeline.worker.first_process import run_below_first_process

NAMESPACE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
HEAD = "import os, signal, sys\nfrom genomics_pipeline.worker.first_process import run_below_first_process\n"


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    if shutil.which("unshare") is None or subprocess.run([*NAMESPACE, "true"], check=False).returncode:
        pytest.skip("SKIPPED: no PID namespaces here")


def ended(program: str) -> subprocess.CompletedProcess[str]:
    argv = [*NAMESPACE, sys.executable, "-c", f"{HEAD}{program}"]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_elsewhere_the_program_runs_in_this_process() -> None:
    assert run_below_first_process(os.getpid) == os.getpid()


def test_the_program_runs_below_and_its_code_is_ours() -> None:
    found = ended("sys.exit(run_below_first_process(lambda: print(os.getpid(), os.getppid()) or 65))")
    assert (found.stdout, found.returncode) == ("2 1\n", 65)


def test_a_signal_that_ends_the_program_is_told_as_a_shell_does() -> None:
    assert ended("sys.exit(run_below_first_process(lambda: os.kill(os.getpid(), 9) or 0))").returncode == 137


def test_orphans_are_let_go() -> None:
    program = """
def program():
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        orphan = os.fork()
        if orphan:
            os.write(writing, b"%d" % orphan)
        os._exit(0)
    os.waitpid(child, 0)
    orphan = int(os.read(reading, 9))
    while True:
        try:
            os.kill(orphan, 0)  # there as long as nobody asked how it ended
        except ProcessLookupError:
            return 3
sys.exit(run_below_first_process(program))
"""
    assert ended(program).returncode == 3


def test_signals_are_handed_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ready")
    program = f"""
def program():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    open({str(tmp_path / "ready")!r}, "w").close()
    while True:
        signal.pause()
def tell():  # a process of the namespace tells its first one, as an engine would
    open({str(tmp_path / "ready")!r}).close()
    os.kill(1, signal.SIGTERM)
    os._exit(0)
if os.fork() == 0:
    tell()
sys.exit(run_below_first_process(program))
"""
    assert ended(program).returncode == 7
