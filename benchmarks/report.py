"""The report of a run: size, time and memory to build it, and until a real browser is ready with it.

Reports of 10,000 and of 100,000 simulated samples with 28 metrics each are built in a process of their own, of values
as they are read from the records of a run; the memory is that of the whole process, with the values. The browser is
headless Chromium (CHROMIUM, as `make test-ui` unpacks it): the time from the request of the file until the table can be
searched, and the memory of all of its processes beyond that of an empty page.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from genomics_pipeline.report.run_page.page import report_page
from tests.ui.browser import Browser, browser
from tests.ui.simulated import simulated_report

SAMPLES = (10_000, 100_000)
GOALS = {10_000: (2.0, 10.0, 300.0), 100_000: (5.0, 60.0, 600.0)}  # MB, seconds and MiB to build
READY_S, BROWSER_MIB = 2.0, 200.0
MB, MIB = 1_000_000, 1 << 20


@dataclass(frozen=True, slots=True)
class Built:
    """A report that was built.

    Attributes:
        seconds: The processor time that its page took.
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


def main() -> None:
    """Print a line for each number of samples, and exit with 1 if a goal is missed."""
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
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
