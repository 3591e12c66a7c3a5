"""Small runs of the simulated cohort: sheets of some of its samples, and the state of each afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pysam

Reads = dict[str, tuple[Path, Path]]


def read_files(cohort: Path) -> Reads:
    """Return the two files of each sample that has one lane, which is all but the first."""
    files = {}
    for number in (2, 3, 4):
        first, second = (cohort / f"fastq/sample{number}_S{number}_L001_R{mate}_001.fastq.gz" for mate in (1, 2))
        files[f"sample{number}"] = (first, second)
    return files


def write_sheet(file: Path, reads: Reads) -> Path:
    rows = [f"{sample},{first},{second}" for sample, (first, second) in reads.items()]
    file.write_text("\n".join(["sample,fastq_1,fastq_2", *rows]) + "\n")
    return file


def copy_pair(files: tuple[Path, Path], folder: Path) -> tuple[Path, Path]:
    folder.mkdir()
    return Path(shutil.copy(files[0], folder)), Path(shutil.copy(files[1], folder))


def failure_of(run_folder: Path, stage: str, sample: str) -> tuple[str, str]:
    """Return class and message of an item that failed; it must have no completion record."""
    folder = run_folder / "steps" / stage / sample
    assert not (folder / "step.json").exists()
    failure = json.loads((folder / "failure.json").read_bytes())
    return failure["class"], failure["message"]


def samples_of(vcf: str) -> list[str]:
    with pysam.VariantFile(vcf) as joint:
        return list(joint.header.samples)


def states(summary: Mapping[str, Any]) -> dict[str, str]:
    return {row["sample"]: row["state"] for row in summary["samples"]}
