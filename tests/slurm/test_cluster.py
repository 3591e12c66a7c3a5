"""Runs on a real Slurm cluster: the bytes of a local run, each kind of end, and heads that are killed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.output_digests import output_digests
from tests.slurm.conftest import SlurmProject, TestCluster, until

Samples = Callable[..., SlurmProject]


def failures(run: Path) -> dict[str, str]:
    """Return the class of each failure by sample."""
    text = subprocess.run(
        [sys.executable, "-m", "genomics_pipeline", "status", str(run), "--json"], capture_output=True, text=True
    ).stdout
    return {one["item"]: one["class"] for one in json.loads(text)["failures"]["items"]}


def test_the_germline_pipeline_gives_the_bytes_of_a_local_run(cluster: TestCluster, tmp_path: Path) -> None:
    cohort = tmp_path / "cohort"
    simulate = ("simulate", "--out", cohort, "--samples", "2", "--length", "20000")
    said, _ = cluster.start(*simulate).communicate()
    assert (cohort / "cohort.csv").exists(), said
    common = ("run", cohort / "cohort.csv", "--reference", cohort / "reference.fa", "--json", "--out")
    here, there = tmp_path / "here", tmp_path / "there"
    for run in (
        cluster.start(*common, here),
        cluster.start(*common, there, "--slurm", "--slurm-poll-s", "1"),
    ):
        said, _ = run.communicate()
        assert run.returncode == 0, said
    assert output_digests(there) == output_digests(here)
    assert {record.split("/")[0] for record in output_digests(here)} >= {
        "alignment",
        "variant_calling",
        "aggregation",
        "gather",
    }


def test_ends_of_jobs_have_their_classes(samples: Samples) -> None:
    project = samples("good", "bad", "memory", "wait-cancelled", "late")
    running = project.start()
    until(lambda: project.starts("wait-cancelled"), running)
    (job, _), *_ = project.starts("wait-cancelled")
    project.cluster.slurm("scancel", job)
    said, _ = running.communicate()
    assert running.returncode == 1
    assert failures(project.project.run) == {
        "bad": "bad_input",
        "memory": "out_of_memory",
        "wait-cancelled": "cancelled",
        "late": "timeout",
    }, said
    assert [len(project.starts(name)) for name in ("good", "bad", "wait-cancelled")] == [1, 1, 1]
    assert len(project.starts("late")) == 2  # as the step declares nothing else


def test_a_job_of_a_node_that_fails_runs_on_another(samples: Samples) -> None:
    project = samples("wait")
    running = project.start()
    until(lambda: project.starts("wait"), running)
    node = project.starts("wait")[0][1]
    project.cluster.script("kill-node", node)
    try:
        until(lambda: len(project.starts("wait")) == 2, running)
        project.let_go()
        said, _ = running.communicate()
    finally:
        project.cluster.script("start-node", node)
    assert running.returncode == 0, said
    assert project.starts("wait")[1][1] != node


def test_a_preempted_job_runs_again(samples: Samples) -> None:
    project = samples("wait")
    running = project.start("--slurm-partition", "spot", "--slurm-on-demand-partition", "main")
    until(lambda: project.starts("wait"), running)
    node = project.starts("wait")[0][1]
    blocker = project.cluster.slurm(
        "sbatch", "--parsable", "--exclusive", f"--nodelist={node}", "--output=/dev/null", "--wrap", "sleep 600"
    ).strip()
    try:
        until(lambda: len(project.starts("wait")) == 2, running)
    finally:
        project.cluster.slurm("scancel", blocker)
    project.let_go()
    said, _ = running.communicate()
    assert running.returncode == 0, said


def test_a_request_that_no_partition_meets_is_refused_with_its_cure(samples: Samples) -> None:
    project = samples("good")
    step = project.step / "step.toml"
    step.write_text(step.read_text().replace("timeout_s = 60", "timeout_s = 600"))
    running = project.start("--slurm-partition", "short")
    said, _ = running.communicate()
    assert running.returncode == 1
    assert "Slurm never starts the job (PartitionConfig): it asks for more time or larger nodes" in said
    assert project.starts("good") == []


def test_a_head_that_is_killed_ten_times_starts_no_job_twice(samples: Samples) -> None:
    names = [f"sample{number}" for number in range(40)]
    project, moments = samples(*names), random.Random(7)
    for _ in range(10):
        running = project.start("--resume", "--jobs", "4")
        time.sleep(moments.uniform(0.5, 4))
        running.kill()
        running.communicate()
    running = project.start("--resume", "--jobs", "4")
    said, _ = running.communicate()
    assert running.returncode == 0, said
    assert {name: len(project.starts(name)) for name in names} == dict.fromkeys(names, 1)


def test_a_controller_that_is_killed_is_waited_for(samples: Samples) -> None:
    # The last test: a controller that was killed gives numbers of jobs twice, and Slurm then cancels both jobs.
    project = samples("wait1", "wait2")
    running = project.start()
    until(lambda: project.starts("wait1") and project.starts("wait2"), running)
    project.cluster.restart_controller(away_s=3)
    project.let_go()
    said, _ = running.communicate()
    assert running.returncode == 0, said
    assert [len(project.starts(name)) for name in ("wait1", "wait2")] == [1, 1]
