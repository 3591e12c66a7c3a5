"""`kill -9` of a run at random moments: nothing finished is lost, and the results are the same."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysam
import pytest

KILLS = 20
JOINT = "results/variant_calling/joint/joint_germline.vcf.gz"


def records(vcf: str) -> list[str]:
    with pysam.VariantFile(vcf) as calls:
        return [str(record) for record in calls]


def start(cohort: Path, out: Path) -> subprocess.Popen[bytes]:
    """Start the run in a process group of its own."""
    argv = [sys.executable, "-m", "genomics_pipeline", "run", str(cohort / "cohort.csv")]
    argv += ["--reference", str(cohort / "reference.fa"), "--out", str(out), "--resume"]
    return subprocess.Popen(argv, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.badluck
def test_twenty_kills_and_resumes_end_as_an_undisturbed_run(
    cohort: Path, run: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    undisturbed = run(tmp_path / "undisturbed")
    expected = records(undisturbed["cohort"]["files"]["gather.vcf"])
    moments = random.Random(20)
    out = tmp_path / "killed"
    killed = 0
    while killed < KILLS:
        process = start(cohort, out)
        try:
            process.wait(timeout=moments.uniform(0.0, undisturbed["seconds"]))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
        else:  # it came to its end between two kills: begin again
            assert process.returncode == 0
            assert records(str(out / JOINT)) == expected
            shutil.rmtree(out)
    assert run(out, "--resume")["status"] == "SUCCEEDED"
    assert records(str(out / JOINT)) == expected
    assert not list(out.rglob("*.part"))
    assert not list((out / ".scratch").glob("*"))
