"""Runs of the command line on real sequencing data beside the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"
Runner = Callable[..., dict[str, Any]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, and skip it with a message where the data is missing."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("realdata")
            if not (SHARED / "data").is_dir():
                item.add_marker(pytest.mark.skip(reason=f"SKIPPED: no real sequencing data in {SHARED / 'data'}"))


def sheet(folder: Path, to: Path) -> Path:
    """Write a sample sheet of every pair of FASTQ files in a folder."""
    rows = ["sample,fastq_1,fastq_2"]
    for first in sorted(folder.glob("*_R1.fastq.gz")):
        name = first.name.removesuffix("_R1.fastq.gz")
        rows.append(f"{name},{first},{folder / f'{name}_R2.fastq.gz'}")
    to.write_text("\n".join(rows) + "\n")
    return to


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Return `run(dataset, *options)`, which runs a dataset and returns the summary of ``--json``."""

    def call(dataset: str, *options: str) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp(dataset)
        data = SHARED / "data" / dataset
        argv = [sys.executable, "-m", "genomics_pipeline", "run", str(sheet(data, folder / "cohort.csv"))]
        argv += ["--reference", str(data / "reference.fa.gz"), "--out", str(folder / "run"), "--json", *options]
        process = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stderr
        summary: dict[str, Any] = json.loads(process.stdout)
        return summary

    return call


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of downsampled and simulated reads, and of the depths of whole sets, for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def score(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return `score(calls, truth, bed, dataset, *options)`, which returns the output of the independent scorer."""

    def call(calls: str, truth: Path, bed: Path, dataset: str, *options: str) -> dict[str, Any]:
        import gzip

        reference = tmp_path / "reference.fa"
        reference.write_bytes(gzip.decompress((SHARED / "data" / dataset / "reference.fa.gz").read_bytes()))
        argv = [sys.executable, str(SHARED / "tools" / "score_vcf.py"), calls, str(truth), str(bed), str(reference)]
        process = subprocess.run([*argv, *options], capture_output=True, text=True, check=True)
        scores: dict[str, Any] = json.loads(process.stdout)
        return scores

    return call
