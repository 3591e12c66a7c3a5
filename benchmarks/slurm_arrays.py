"""Small samples on a Slurm cluster of this machine: the time of the whole run, and how often Slurm is asked.

A step that copies a read, for 1,000 samples (or the number given), on three simulated nodes of 16 cores. The commands
of Slurm are counted by programs of the same names before them on PATH. The goals are 3 minutes, and 60 commands a
minute.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.measure import measure
from genomics_pipeline.model import run_layout
from tests.fakes.slurm import COMMANDS
from tests.slurm.conftest import TestCluster, running_cluster
from tests.small_project import READS, SmallProject, stage_toml, write_step

SAMPLES, GOAL_S, GOAL_CALLS = 1000, 180.0, 60
PROGRAM = """
import json, shutil, sys
task = json.load(open(sys.argv[1]))
shutil.copy(task["inputs"]["reads"][0]["fastq_1"], task["outputs"]["out"])
"""
STEP = """
[inputs.reads]
type = "reads"
[outputs.out]
path = "{sample}.txt"
[resources]
vcpus = 1
memory_mib = 300
timeout_s = 3600
"""


def count_calls(folder: Path) -> Path:
    """Write programs that count the commands of Slurm, and return the file of the counts."""
    calls = folder / "calls"
    (folder / "bin").mkdir()
    for name in COMMANDS:
        counted = folder / "bin" / name
        counted.write_text(f'#!/bin/sh\necho "$(date +%s.%N) {name}" >> {calls}\nexec {shutil.which(name)} "$@"\n')
        counted.chmod(0o755)
    return calls


def most_in_a_minute(times: list[float]) -> int:
    """Return the greatest number of times within 60 seconds."""
    return max(sum(0 <= other - one < 60 for other in times) for one in times)


def run(folder: Path, cluster: TestCluster, samples: int) -> None:
    """Run the samples, and print what it took."""
    project = SmallProject(folder)
    write_step(folder, "copy", PROGRAM, STEP)
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}))
    project.samples({f"sample{number}": READS for number in range(samples)})
    calls = count_calls(folder)
    environment = {**cluster.environment, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    arguments = map(str, project.arguments("--slurm", "--json"))
    argv = [sys.executable, "-m", "genomics_pipeline", *arguments]
    measured = measure(argv, env=environment, cwd=folder, memory=False)
    rows = [line.split() for line in calls.read_text().splitlines()]
    jobs = {path.name for path in (project.run / run_layout.SLURM).glob("*/*.log")}
    done = sum(1 for _ in project.run.glob("results/copies/*.txt"))
    most = most_in_a_minute([float(row[0]) for row in rows])
    print(f"{done:,} of {samples:,} samples in {measured.seconds:.0f} s by {len(jobs):,} jobs; goal {GOAL_S:g} s")
    named = ", ".join(f"{name} {number}" for name, number in sorted(Counter(row[1] for row in rows).items()))
    print(f"{len(rows)} commands ({named}), at most {most} in a minute; goal {GOAL_CALLS}")


def skip(reason: str) -> None:
    """End the benchmark where no cluster can run."""
    sys.exit(f"SKIPPED: {reason}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place, running_cluster(3, skip) as made:
        run(Path(place), made, int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
