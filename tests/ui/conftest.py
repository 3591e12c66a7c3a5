"""A real browser, and reports of runs that are written for people to look at, too."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import cli, stack  # noqa: F401 # fixtures
from tests.realdata.conftest import SHARED, sheet
from tests.ui.browser import Browser, browser

PROGRAM = Path(os.environ.get("CHROMIUM", "chromium"))
REPORTS = os.environ.get("REPORTS")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not PROGRAM.is_file():
        if os.environ.get("CI"):
            pytest.fail(f"expected Chromium, found none in {PROGRAM}; use `make test-ui`")
        pytest.skip("needs Chromium: make test-ui")
    with browser(PROGRAM) as one:
        yield one


@pytest.fixture(scope="session")
def axe() -> str:
    return PROGRAM.with_name("axe.min.js").read_text()


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which reports and pictures stay for people to look at."""
    folder = Path(REPORTS) if REPORTS else tmp_path_factory.mktemp("reports")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def command(folder: Path, *arguments: str, code: int = 0) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "genomics_pipeline", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ended.returncode == code, ended.stderr


FAULTS = (
    ("host_lost", "alignment", "sample1"),
    ("out_of_memory", "variant_calling", "sample2"),
    ("bad_input", "alignment", "sample3"),
    ("tool_error", "variant_calling", "sample4"),
    ("timeout", "alignment", "sample5"),
    ("out_of_disk", "alignment", "sample6"),
)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, kept: Path) -> Path:
    """Return the report of a demo, of six samples."""
    folder = tmp_path_factory.mktemp("demo")
    command(folder, "simulate", "--out", "cohort")
    command(folder, "run", "cohort/cohort.csv", "--reference", "cohort/reference.fa", "--out", "demo")
    command(folder, "report", "demo", "--verify", "--out", str(kept / "demo.html"))
    return kept / "demo.html"


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory, kept: Path) -> Path:
    """Return the report of a run of eight samples, six of which failed, each of another class."""
    folder = tmp_path_factory.mktemp("faulty")
    tables = [
        f'[[faults]]\nclass = "{name}"\nstage = "{stage}"\nsamples = ["{sample}"]\nalways = true\n'
        for name, stage, sample in FAULTS
    ]
    (folder / "faults.toml").write_text("".join(tables))
    command(folder, "simulate", "--out", "cohort", "--samples", "8", "--length", "20000", "--depth", "12")
    run = ("run", "cohort/cohort.csv", "--reference", "cohort/reference.fa", "--out", "faulty")
    command(folder, *run, "--inject", "faults.toml", "--max-failures", "100%", code=1)
    command(folder, "report", "faulty", "--out", str(kept / "faulty.html"))
    return kept / "faulty.html"


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory, kept: Path) -> Path:
    """Return the report of the real cohort of eight samples, of which one has a low depth."""
    data = SHARED / "data" / "sarscov2-8sample-cohort"
    if not data.is_dir():
        pytest.skip(f"SKIPPED: no real sequencing data in {data}")
    folder = tmp_path_factory.mktemp("real")
    listed = str(sheet(data, folder / "cohort.csv"))
    command(folder, "run", listed, "--reference", str(data / "reference.fa.gz"), "--out", "real")
    command(folder, "report", "real", "--out", str(kept / "real-cohort.html"))
    return kept / "real-cohort.html"
