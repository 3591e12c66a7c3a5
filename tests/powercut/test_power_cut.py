"""Power cuts at random moments of a run: whatever a record vouches for is on the disk, and the run can be resumed.

The run is on a file system in a file. At the moment of the cut its processes are stopped and the file is copied: the
copy has what the kernel had written by then, as a disk has after a power cut. Then the copy is checked, as a system
does when it starts, and mounted in the place of the original.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from random import Random

import psutil
import pytest

from tests.powercut.disk_image import DiskImage, obstacle
from tests.powercut.promises import broken_promises

pytestmark = pytest.mark.powercut
CUTS = 16
PLANTED_CUTS = 4
LIMIT_S = 300
COMMAND = (sys.executable, "-m", "genomics_pipeline")
# The command without one fsync: that of files before they take their places.
PLANTED = (
    sys.executable,
    "-c",
    "import os, stat\n"
    "fsync = os.fsync\n"
    "os.fsync = lambda file: None if stat.S_ISREG(os.fstat(file).st_mode) else fsync(file)\n"
    "from genomics_pipeline.cli.main import main\n"
    "main()",
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of three small samples, whose reference is indexed."""
    folder = tmp_path_factory.mktemp("power-cut")
    if reason := obstacle(folder):
        pytest.skip(f"SKIPPED: no power cut was simulated: {reason}")
    options = ["--samples", "3", "--length", "6000", "--depth", "6", "--seed", "11"]
    subprocess.run([*COMMAND, "simulate", "--out", folder / "cohort", *options], check=True, capture_output=True)
    return folder / "cohort"


@pytest.fixture(scope="module")
def undisturbed(cohort: Path) -> tuple[dict[str, str], int]:
    """Return the results of a run without a power cut, and its progress at the end."""
    run = cohort.parent / "undisturbed"
    subprocess.run(arguments(cohort, run), check=True, capture_output=True)
    assert broken_promises(run) == []
    return results(run), progress(run)


@pytest.fixture
def disk(cohort: Path, tmp_path: Path) -> Iterator[DiskImage]:
    disk = DiskImage.make(tmp_path / "image")
    yield disk
    disk.unmount()


def arguments(cohort: Path, run: Path, command: tuple[str, ...] = COMMAND) -> list[str]:
    files = ["--reference", str(cohort / "reference.fa"), "--out", str(run)]
    return [*command, "run", str(cohort / "cohort.csv"), *files]


def results(run: Path) -> dict[str, str]:
    """Return the sha256 of each result by its path."""
    own = {"pipeline_info", "report.html"}  # with the times of tasks
    files = (file for file in (run / "results").rglob("*") if file.is_file() and not own & set(file.parts))
    return {str(file.relative_to(run)): sha256(file.read_bytes()).hexdigest() for file in files}


def progress(run: Path) -> int:
    """Return how far a run has come: the number of its published files and of the lines of its journals."""
    files = sum(1 for pattern in ("results/**/*.*", "steps/*/*/*", "map-runs/*/*/*") for _ in run.glob(pattern))
    return files + sum(file.read_bytes().count(b"\n") for file in run.glob(".engine/*/*.jsonl"))


def wait(process: subprocess.Popen[bytes], is_time: Callable[[], bool]) -> None:
    """Wait until it is time, or the process has ended."""
    while not is_time():
        try:
            process.wait(timeout=0.01)
            return
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def stopped(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Stop a process while the block runs, then kill it and its children."""
    if process.poll() is not None:
        yield
        return
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()  # first, since one of its children may have ended meanwhile
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        process.wait()


def cut_power(disk: DiskImage, command: list[str], moment: int) -> None:
    """Run a command on a disk until its run has come so far, and leave on the disk what a power cut leaves."""
    run = disk.root / "run"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait(process, lambda: progress(run) >= moment)
        with stopped(process):
            disk.save()
    disk.restore()


@pytest.mark.parametrize("seed", range(CUTS))
def test_a_run_is_resumed_after_a_power_cut(
    seed: int, cohort: Path, undisturbed: tuple[dict[str, str], int], disk: DiskImage
) -> None:
    expected, end = undisturbed
    run = disk.root / "run"
    cut_power(disk, arguments(cohort, run), Random(seed).randint(1, end))
    assert broken_promises(run) == []
    resumed = subprocess.run([*arguments(cohort, run), "--resume"], capture_output=True, text=True, timeout=LIMIT_S)
    assert resumed.returncode == 0, resumed.stderr
    assert results(run) == expected
    assert not list(run.rglob("*.part"))


def test_a_missing_fsync_is_noticed(cohort: Path, undisturbed: tuple[dict[str, str], int], tmp_path: Path) -> None:
    damage: list[str] = []
    for number in range(PLANTED_CUTS):
        disk = DiskImage.make(tmp_path / str(number))
        cut_power(disk, arguments(cohort, disk.root / "run", PLANTED), undisturbed[1] - number)
        damage += broken_promises(disk.root / "run")
        disk.unmount()
    assert damage != []
