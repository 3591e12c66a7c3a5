"""Small runs of the simulated cohort: sheets of some of its samples, and what became of each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pysam

Reads = dict[str, tuple[Path, Path]]


def read_files(cohort: Path) -> Reads:
    """The two files of each sample that has one lane; those of the first one have two."""
    found = {}
    for number in (2, 3, 4):
        first, second = (cohort / f"fastq/sample{number}_S{number}_L001_R{mate}_001.fastq.gz" for mate in (1, 2))
        found[f"sample{number}"] = (first, second)
    return found


def write_sheet(file: Path, reads: Reads) -> Path:
    rows = [f"{sample},{first},{second}" for sample, (first, second) in reads.items()]
    file.write_text("\n".join(["sample,fastq_1,fastq_2", *rows]) + "\n")
    return file


def copied(files: tuple[Path, Path], folder: Path) -> tuple[Path, Path]:
    folder.mkdir()
    return Path(shutil.copy(files[0], folder)), Path(shutil.copy(files[1], folder))


def told(run_folder: Path, stage: str, sample: str) -> tuple[str, str]:
    """Class and message of an item that failed, which has no completion record."""
    folder = run_folder / "steps" / stage / sample
    assert not (folder / "step.json").exists()
    failure = json.loads((folder / "failure.json").read_bytes())
    return failure["class"], failure["message"]


def samples_of(vcf: str) -> list[str]:
    with pysam.VariantFile(vcf) as joint:
        return list(joint.header.samples)


def states(summary: Mapping[str, Any]) -> dict[str, str]:
    return {row["sample"]: row["state"] for row in summary["samples"]}
