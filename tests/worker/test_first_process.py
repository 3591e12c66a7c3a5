"""The first process of a container, simulated by a PID namespace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from genomics_pipeline.worker.first_process import run_below_first_process
from tests.patience import PATIENCE_S

NAMESPACE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
HEAD = "import os, signal, sys\nfrom genomics_pipeline.worker.first_process import run_below_first_process\n"


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    if shutil.which("unshare") is None or subprocess.run([*NAMESPACE, "true"], check=False).returncode:
        pytest.skip("SKIPPED: no PID namespaces here")


def run_in_namespace(program: str) -> subprocess.CompletedProcess[str]:
    argv = [*NAMESPACE, sys.executable, "-c", f"{HEAD}{program}"]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def test_outside_of_containers_the_program_runs_in_this_process() -> None:
    assert run_below_first_process(os.getpid) == os.getpid()


def test_the_program_runs_in_a_child_whose_exit_code_is_returned() -> None:
    process = run_in_namespace("sys.exit(run_below_first_process(lambda: print(os.getpid(), os.getppid()) or 65))")
    assert (process.stdout, process.returncode) == ("2 1\n", 65)


def test_a_signal_that_ends_the_program_gives_the_exit_code_of_a_shell() -> None:
    assert run_in_namespace("sys.exit(run_below_first_process(lambda: os.kill(os.getpid(), 9) or 0))").returncode == 137


def test_orphans_are_reaped() -> None:
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
            os.kill(orphan, 0)  # exists until it is reaped
        except ProcessLookupError:
            return 3
sys.exit(run_below_first_process(program))
"""
    assert run_in_namespace(program).returncode == 3


def test_signals_are_forwarded(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ready")
    program = f"""
def program():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    open({str(tmp_path / "ready")!r}, "w").close()
    while True:
        signal.pause()
def send_signal():  # from a process of the namespace, as by a container engine
    open({str(tmp_path / "ready")!r}).close()
    os.kill(1, signal.SIGTERM)
    os._exit(0)
if os.fork() == 0:
    send_signal()
sys.exit(run_below_first_process(program))
"""
    assert run_in_namespace(program).returncode == 7
