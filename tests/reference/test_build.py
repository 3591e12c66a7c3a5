"""The building of indexes in a process that ends with this one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference import build, build_process
from genomics_pipeline.reference.index_kinds import required_kinds
from tests.reference.conftest import INDEX_FILES


@pytest.fixture(autouse=True)
def in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build the indexes of small files in a process too."""
    monkeypatch.setattr(build, "SHORT_BYTES", 0)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Return the processes that were started."""
    processes: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    return processes


def test_the_process_builds_all_kinds(
    make: Callable[..., Path], fasta: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    notes: list[str] = []
    assert make(fasta, note=notes.append) == fasta
    assert sorted(path.name for path in fasta.parent.iterdir()) == INDEX_FILES
    assert notes == [
        f"reference: building indexes of {fasta} (fai; 210 B): a few seconds, once",
        f"reference: building indexes of {fasta} (bwa, dict; 210 B): a few seconds, once",
    ]
    assert [process.returncode for process in started] == [0, 0]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interruption_kills_the_process(
    make: Callable[..., Path],
    fasta: Path,
    started: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
    interrupt: type[BaseException],
) -> None:
    make(fasta, "fai")
    before = {path.name for path in fasta.parent.iterdir()}
    wait = subprocess.Popen.wait

    def wait_once(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        monkeypatch.setattr(subprocess.Popen, "wait", wait)
        os.kill(process.pid, signal.SIGSTOP)  # as if it had an hour to go
        raise interrupt

    monkeypatch.setattr(subprocess.Popen, "wait", wait_once)
    with pytest.raises(interrupt):
        make(fasta)
    assert started[-1].returncode == -signal.SIGKILL
    assert {path.name for path in fasta.parent.iterdir()} == before, "nothing is left behind"
    assert make(fasta) == fasta


def test_what_a_killed_process_left_is_removed(make: Callable[..., Path], fasta: Path) -> None:
    left = fasta.with_name(f".index-{fasta.name}-killed")
    left.mkdir()
    (left / "tiny.fa.bwt").write_text("much")
    make(fasta)
    assert sorted(path.name for path in fasta.parent.iterdir()) == INDEX_FILES


def test_the_process_ends_with_its_parent(fasta: Path) -> None:
    command = [sys.executable, "-m", build_process.__name__, "1", str(fasta), "ref.fa", "bwa"]  # not its parent
    ended = subprocess.run(command, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [path.name for path in fasta.parent.iterdir()] == [fasta.name]


def test_a_problem_of_the_process(fasta: Path) -> None:
    fasta.write_text(">chr1\nACGT\n\nACGT\n")  # not checked before
    with pytest.raises(DataError) as error:
        build.build_indexes(fasta, required_kinds([]), "ref.fa", lambda text: None)
    assert str(error.value).startswith("ref.fa: expected FASTA: ")
    assert [path.name for path in fasta.parent.iterdir()] == [fasta.name]


def test_a_process_that_ran_out_of_memory(fasta: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)  # so that the process kills itself
    with pytest.raises(DataError) as error:
        build.build_indexes(fasta, required_kinds([]), "ref.fa", lambda text: None)
    advice = "it may have run out of memory; build them on a machine with more, and place them beside the file"
    assert str(error.value) == f"ref.fa: the building of its indexes was killed: {advice}"


def test_a_disk_without_space_for_the_indexes(
    make: Callable[..., Path], fasta: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(fasta, "fai")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=100))
    with pytest.raises(DataError) as error:
        make(fasta)
    needed = f"expected about 378 B of free space for the indexes of {fasta} (bwa, dict), found 100 B"
    assert str(error.value) == f"{fasta.parent}: {needed}; remove files or use another disk"
