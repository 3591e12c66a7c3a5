"""A full disk: a tmpfs for temporary files that only the run's own processes see."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import pytest

from tests.runs.small_runs import failure_of, read_files, samples_of, states, write_sheet


@pytest.fixture(scope="module")
def unshare(missing: Callable[[str], None]) -> list[str]:
    """Return the words before a command that let it mount."""
    for options in (["--mount"], ["--user", "--map-root-user", "--mount"]):
        words = ["unshare", *options]
        if shutil.which("unshare") and not subprocess.run([*words, "mount", "-t", "tmpfs", "x", "/mnt"]).returncode:
            return words
    missing("nothing can be mounted here: no disk can be filled")
    raise AssertionError


def test_the_sample_that_fills_it(unshare: list[str], cohort: Path, tmp_path: Path) -> None:
    reads = {"large": _reads(tmp_path), **read_files(cohort)}
    sheet = write_sheet(tmp_path / "sheet.csv", reads)
    out = tmp_path / "run"
    for name in (".engine", ".scratch"):
        (out / name).mkdir(parents=True)
    run = [sys.executable, "-m", "genomics_pipeline", "run", str(sheet), "--json", "--out", str(out)]
    run += ["--reference", str(cohort / "reference.fa")]
    mounting = [*unshare, "sh", "-c", 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"', str(out / ".scratch")]
    one_core = partial(os.sched_setaffinity, 0, {min(os.sched_getaffinity(0))})  # one sample after the other
    ended = subprocess.run([*mounting, *run], capture_output=True, text=True, check=False, preexec_fn=one_core)
    assert ended.returncode == 1, ended.stderr
    summary = json.loads(ended.stdout)
    good = list(read_files(cohort))
    assert states(summary) == {"large": "FAILED", **dict.fromkeys(good, "SUCCEEDED")}
    failure_class, message = failure_of(out, "alignment", "large")
    assert failure_class == "out_of_disk"
    assert f"\nno space left on the disk of {out}/.scratch: free some space, then run again; the largest " in message
    assert samples_of(summary["cohort"]["files"]["gather.vcf"]) == good


def _reads(folder: Path) -> tuple[Path, Path]:
    """Write reads that no compression makes smaller than the disk."""
    random = Random(1)
    files = folder / "R1.fastq", folder / "R2.fastq"
    for file in files:
        with file.open("w") as out:
            for number in range(10_000):
                bases, qualities = ("".join(random.choices(of, k=150)) for of in ("ACGT", "#+5:?DFHI"))
                out.write(f"@r{number}\n{bases}\n+\n{qualities}\n")
    return files
