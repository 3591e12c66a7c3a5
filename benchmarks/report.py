"""The report of a run: size, time and memory to build it, and until a real browser is ready with it.

Reports of 10,000 and of 100,000 simulated samples with 28 metrics each are built in a process of their own, of values
as they are read from the records of a run; the memory is that of the whole process, with the values. The browser is
headless Chromium (CHROMIUM, as `make test-ui` unpacks it): the time from the request of the file until the table can be
searched, and the memory of all of its processes beyond that of an empty page.

Then `report RUN` is measured as a whole, which reads the records and the metrics of 10,000 samples in the folder of a
run, and so is `status RUN`, which reads the records: of so many samples it shows no table. With ``--commands``, only
they are.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.copied_run import COMMAND, copy_run, run_a_few
from genomics_pipeline.report.run_page.page import report_page
from tests.ui.browser import Browser, browser
from tests.ui.simulated import simulated_report

SAMPLES = (10_000, 100_000)
GOALS = {10_000: (2.0, 10.0, 300.0), 100_000: (5.0, 60.0, 600.0)}  # MB, seconds and MiB to build
READY_S, BROWSER_MIB = 2.0, 200.0
COMMAND_SAMPLES = 10_000
COMMANDS = {"report": (10.0, 300.0), "status": (5.0, 300.0)}  # seconds and MiB
MB, MIB = 1_000_000, 1 << 20


@dataclass(frozen=True, slots=True)
class Built:
    """A report that was built.

    Attributes:
        seconds: The processor time that its page took, or the whole command.
        peak_mib: The peak memory of the process that built it.
    """

    seconds: float
    peak_mib: float


def build(samples: int, file: Path) -> Built:
    """Build a report in a process of its own.

    Args:
        samples: The number of samples.
        file: The file to write.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_build, (samples, file))


def _build(samples: int, file: Path) -> Built:
    report = simulated_report(samples)
    began = time.process_time()
    file.write_text(report_page(report))
    seconds = time.process_time() - began
    return Built(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def resident_mib(page: Browser) -> float:
    """Return the resident memory of all processes of a browser; shared pages are divided among them."""
    root = psutil.Process(page.pid)
    return sum(one.memory_full_info().pss for one in (root, *root.children(recursive=True))) / MIB


def commands() -> bool:
    """Print a line for each command that reads a run, and return whether a goal was missed."""
    missed = False
    print(f"\n{'command':>8} {'samples':>8} {'s':>8} {'MiB':>10}")
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, "copy")
        copy_run(run_a_few(Path(folder)), COMMAND_SAMPLES, run)
        for name, (most_s, most_mib) in COMMANDS.items():
            measured = run_command(name, str(run))
            print(f"{name:>8} {COMMAND_SAMPLES:>8,} {measured.seconds:8.2f} {measured.peak_mib:10.0f}")
            missed |= measured.seconds > most_s or measured.peak_mib > most_mib
    return missed


def run_command(*argv: str) -> Built:
    """Run a command of ours in a process of its own, and return its processor time and its peak memory.

    Raises:
        subprocess.CalledProcessError: if it fails.
    """
    process = subprocess.Popen([COMMAND, *argv], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, argv)
    return Built(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main() -> None:
    """Print a line for each measurement, and exit with 1 if a goal is missed."""
    missed = "--commands" not in sys.argv and pages()
    sys.exit(1 if commands() or missed else 0)


def pages() -> bool:
    """Print a line for each number of samples, and return whether a goal was missed."""
    program, missed = Path(os.environ.get("CHROMIUM", ".venv/chromium/chromium")), False
    print(f"{'samples':>8} {'MB':>6} {'build s':>8} {'build MiB':>10} {'ready s':>8} {'browser MiB':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for samples in SAMPLES:
            file = Path(folder, f"{samples}.html")
            built = build(samples, file)
            with browser(program) as page:
                page.look(1280, 900)
                empty = resident_mib(page)
                began = time.perf_counter()
                page.open(file)
                ready = time.perf_counter() - began
                grown = resident_mib(page) - empty
            size = file.stat().st_size / MB
            numbers = f"{size:6.2f} {built.seconds:8.2f} {built.peak_mib:10.0f} {ready:8.2f} {grown:12.0f}"
            print(f"{samples:>8,} {numbers}")
            found = (size, built.seconds, built.peak_mib, ready, grown)
            missed |= any(one > goal for one, goal in zip(found, (*GOALS[samples], READY_S, BROWSER_MIB), strict=True))
    return missed


if __name__ == "__main__":
    main()
