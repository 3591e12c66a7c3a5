"""Runs on a real Slurm cluster: the bytes of a local run, each kind of end, and heads that are killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from genomics_pipeline.runs.slurm.node_task import read_tasks
from genomics_pipeline.slurm.commands import SlurmCommands
from tests.output_digests import output_digests
from tests.slurm.conftest import SlurmProject, TestCluster, slurm_project, until
from tests.small_project import SmallProject

Samples = Callable[..., SlurmProject]


def kill_heads(start: Callable[[], subprocess.Popen[str]], moments: random.Random) -> bool:
    """Start a head of a run and kill it, ten times; return whether one was at the end of the run before."""
    for _ in range(10):
        head = start()
        try:
            said, _ = head.communicate(timeout=moments.uniform(0.5, 4))
        except subprocess.TimeoutExpired:
            head.kill()
            head.communicate()
        else:
            assert head.returncode == 0, said
            return True
    return False


def test_the_germline_pipeline_gives_the_bytes_of_a_local_run(cluster: TestCluster, tmp_path: Path) -> None:
    cohort = tmp_path / "cohort"
    simulate = ("simulate", "--out", cohort, "--samples", "2", "--length", "20000")
    said, _ = cluster.start(*simulate).communicate()
    assert (cohort / "cohort.csv").exists(), said
    common = ("run", cohort / "cohort.csv", "--reference", cohort / "reference.fa", "--json", "--out")
    here, there, killed = tmp_path / "here", tmp_path / "there", tmp_path / "killed"
    on_cluster = ("--slurm", "--slurm-poll-s", "1", "--resume")
    has_ended = kill_heads(lambda: cluster.start(*common, killed, *on_cluster), random.Random(20))
    for arguments in ((here,), (there, *on_cluster), *([] if has_ended else [(killed, *on_cluster)])):
        run = cluster.start(*common, *arguments)
        said, _ = run.communicate()
        assert run.returncode == 0, said
    assert output_digests(here) == output_digests(there) == output_digests(killed)
    assert {record.split("/")[0] for record in output_digests(here)} >= {
        "alignment",
        "variant_calling",
        "aggregation",
        "gather",
    }
    assert submitted_payloads(killed) == submitted_payloads(there)


def submitted_payloads(run: Path) -> list[str]:
    """Return the stage and the items of each task that was submitted, sorted."""
    tasks = [task for file in (run / ".engine/slurm").glob("*/tasks.json") for task in read_tasks(file)]
    payloads = [json.loads(task.payload) for task in tasks]
    return sorted(f"{payload['stage']} {payload['items']}" for payload in payloads)


def test_ends_of_jobs_have_their_classes(samples: Samples) -> None:
    project = samples("good", "bad", "memory", "wait-cancelled", "late")
    running = project.start()
    until(lambda: project.starts("wait-cancelled"), running)
    (job, _), *_ = project.starts("wait-cancelled")
    project.cluster.slurm("scancel", job)
    for number in (1, 2):  # a limit of a minute passes in seconds
        until(partial(project.has_started, "late", number), running)
        project.cluster.slurm("scontrol", "update", f"jobid={project.starts('late')[-1][0]}", "EndTime=now+1seconds")
    said, _ = running.communicate()
    assert running.returncode == 1
    assert project.failures() == {
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


def test_a_job_whose_node_is_silent_runs_on_another_and_harms_nothing(samples: Samples) -> None:
    project = samples("wait")
    running = project.start()
    until(lambda: project.starts("wait"), running)
    node = project.starts("wait")[0][1]
    project.cluster.script("kill-slurmd", node)  # the job goes on
    try:
        until(lambda: len(project.starts("wait")) == 2, running)
        project.let_go()
        code, said = project.finish(running)
    finally:
        project.cluster.script("start-node", node)
    assert code == 0, said
    assert (project.project.run / "results/eaten/wait.txt").read_text() == "wait"


def test_a_held_job_is_cancelled_with_its_cure(samples: Samples) -> None:
    project = samples("good")
    code, said = project.finish(project.start("--slurm-option=--hold"))
    assert code == 1
    assert "Slurm never starts the job (JobHeldUser): release it with `scontrol release`, then resume the run" in said
    assert project.failures() == {"good": "aws_limit"}
    assert "PENDING" not in project.cluster.slurm("squeue", "--me", "-h", "-o", "%T")


def test_a_feature_that_no_node_has_is_refused_in_slurms_words(samples: Samples) -> None:
    project = samples("good")
    code, said = project.finish(project.start("--slurm-option=--constraint=avx9000"))
    assert code == 1
    assert "Slurm refuses the job: sbatch: error: Batch job submission failed: Invalid feature specification" in said


def test_a_job_that_cannot_start_before_its_deadline_has_no_time(samples: Samples) -> None:
    project = samples("good")
    blocker = project.cluster.slurm(
        "sbatch", "--parsable", "--exclusive", "--nodelist=node3", "--output=/dev/null", "--wrap", "sleep 600"
    ).strip()
    try:
        running = project.start("--slurm-option=--nodelist=node3", "--slurm-option=--deadline=now+70seconds")
        seen = set[str]()
        for _ in range(2):  # a deadline of seconds, as soon as the job waits
            jobs: list[str] = []

            def waiting(jobs: list[str] = jobs) -> bool:
                rows = project.cluster.slurm("squeue", "--me", "-h", "-t", "PENDING", "-o", "%i %k").split("\n")
                arrays = {folder.name for folder in (project.project.run / ".engine/slurm").glob("*")}
                jobs[:] = [row.split()[0] for row in rows if row.strip() and row.split()[1] in arrays]
                jobs[:] = [job for job in jobs if job not in seen]
                return bool(jobs)

            until(waiting, running)
            seen.update(jobs)
            project.cluster.slurm("scontrol", "update", f"jobid={jobs[0]}", "deadline=now+1seconds")
        code, said = project.finish(running)
    finally:
        project.cluster.slurm("scancel", blocker)
    assert code == 1, said
    assert project.failures() == {"good": "timeout"}


def test_a_job_asks_for_no_more_time_than_its_partition_has(samples: Samples) -> None:
    project = samples("good")
    step = project.step / "step.toml"
    step.write_text(step.read_text().replace("timeout_s = 60", "timeout_s = 600"))
    code, said = project.finish(project.start("--slurm-partition", "short"))
    assert code == 0, said
    assert "have 5 min, the longest in partition short; they ask for 10" in said


def test_a_job_whose_dependency_fails_is_cancelled_with_its_cure(samples: Samples) -> None:
    project = samples("good")
    failing = project.cluster.slurm("sbatch", "--parsable", "--output=/dev/null", "--wrap", "exit 1").strip()
    code, said = project.finish(project.start(f"--slurm-option=--dependency=afterok:{failing}"))
    assert code == 1
    assert "Slurm never starts the job (DependencyNeverSatisfied): remove the dependency of --slurm-option" in said
    assert project.starts("good") == []


def test_slurm_runs_more_jobs_of_an_array_once_its_limit_is_raised(cluster: TestCluster) -> None:
    slurm = SlurmCommands(cluster.environment)
    array = slurm.submit(["--array=0-3%1", "--output=/dev/null"], "#!/bin/sh\nexec sleep 600\n", {})

    def running() -> int:
        return sum(job.is_running for job in slurm.jobs() if job.job_id.startswith(f"{array}_"))

    try:
        until(lambda: running() == 1)
        slurm.limit_array(array, 3)
        until(lambda: running() == 3)
    finally:
        slurm.cancel([array])


def test_a_head_that_is_a_job_is_cancelled_with_its_jobs(samples: Samples) -> None:
    project = samples("good", "wait")
    code, said = project.finish(project.start("--slurm-head"))
    assert code == 0, said
    until(lambda: project.starts("wait"))
    code, said = project.finish(project.cluster.start("cancel", project.project.run, "--yes"))
    assert code == 0, said
    assert "ABORTED" in said
    until(lambda: not project.cluster.slurm("squeue", "--me", "-h").strip())


def test_a_head_that_is_killed_ten_times_starts_no_job_twice(samples: Samples) -> None:
    names = [f"sample{number}" for number in range(40)]
    project = samples(*names)
    if not kill_heads(lambda: project.start("--resume", "--jobs", "8"), random.Random(7)):
        code, said = project.finish(project.start("--resume", "--jobs", "8"))
        assert code == 0, said
    assert {name: len(project.starts(name)) for name in names} == dict.fromkeys(names, 1)


def test_a_controller_that_is_killed_is_waited_for(project: SmallProject, own_cluster: TestCluster) -> None:
    run = slurm_project(project, own_cluster, "wait1", "wait2")
    running = run.start()
    until(lambda: run.starts("wait1") and run.starts("wait2"), running)
    # It writes its state some seconds after a change. Without that it would restore an array that waits, start it again
    # under the same numbers, which the node refuses, and cancel the jobs that run.
    changed, state = time.time(), own_cluster.home / "state/job_state"
    for name in ("wait1", "wait2"):
        own_cluster.slurm("scontrol", "update", f"jobid={run.starts(name)[0][0]}", "TimeLimit=5")
    until(lambda: state.stat().st_mtime > changed, running)
    own_cluster.restart_controller(signal.SIGKILL, away_s=3)
    run.let_go()
    code, said = run.finish(running)
    assert code == 0, said
    assert [len(run.starts(name)) for name in ("wait1", "wait2")] == [1, 1]
