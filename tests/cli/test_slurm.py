"""`run --slurm` and `rerun` by their commands, on a stand-in for Slurm."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.runs.slurm import attempts
from genomics_pipeline.runs.slurm.cluster import node_capacity
from genomics_pipeline.runs.slurm.node_task import ARRAY, LOG, TASKS
from genomics_pipeline.worker.machine import NO_LIMITS, Limits
from tests.fakes.slurm import FakeSlurm
from tests.patience import until
from tests.small_project import READS, SmallProject, stage_toml

Cli = Callable[..., Any]
PROGRAM = """
import json, pathlib, sys, time
task = json.load(open(sys.argv[1]))
sample, here = task["item"]["sample"], pathlib.Path(__file__).parent.parent
(here / f"{sample}.started").touch()
while sample == "slow" and not (here / "go").exists():
    time.sleep(0.05)
if sample == "late" and not (here / "go").exists():
    sys.exit(print("error: late: expected food", file=sys.stderr) or 65)
open(task["outputs"]["out"], "w").write(sample)
"""
STEP = '[inputs.reads]\ntype = "reads"\n[outputs.out]\npath = "{sample}.txt"\n[resources]\nmemory_mib = 200\n'


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    """Return the stand-in, whose commands are on PATH."""
    made = FakeSlurm(tmp_path / "slurm")
    monkeypatch.setenv("PATH", str(made.path), prepend=":")
    monkeypatch.setenv("GENOMICS_PIPELINE_SLURM_CHECK", "none")
    monkeypatch.setattr(attempts, "LOOK_S", 0.02)
    return made


@pytest.fixture
def eating(project: SmallProject) -> SmallProject:
    """Return a project with a sample that succeeds and one that fails at first."""
    project.step("eat", PROGRAM, STEP)
    project.pipeline(stage_toml("eating", "./eat", "eaten", {"reads": "sample.reads"}))
    project.samples({"good": READS, "late": READS})
    return project


def test_a_rerun_is_on_the_cluster_of_its_run(cli: Cli, slurm: FakeSlurm, eating: SmallProject) -> None:
    options = ("--slurm", "--slurm-poll-s", "1", "--slurm-partition", "long", "--slurm-option=--constraint=avx2")
    run = cli(*eating.arguments(*options, "--json"))
    assert run.code == 1
    assert [one["sample"] for one in json.loads(run.out)["samples"] if one["state"] == "FAILED"] == ["late"]
    (eating.folder / "go").touch()
    rerun = cli("rerun", eating.run)
    assert rerun.code == 0, rerun.err
    given = [json.loads(file.read_text()) for file in sorted(slurm.folder.glob("array.*"))]
    assert [(one["partition"], one["constraint"], one["array"]) for one in given] == [
        ("long", "avx2", "0-1"),
        ("long", "avx2", "0-0"),
    ]


def test_a_time_limit_of_a_partition_is_named_and_a_rerun_has_another_one(
    cli: Cli, slurm: FakeSlurm, eating: SmallProject
) -> None:
    eating.samples({"slow": READS})
    slurm.set("minutes.short", "5:00")

    def end_slow_job() -> None:
        until((eating.folder / "slow.started").exists)
        slurm.set_state(1, 0, "TIMEOUT")
        os.kill(int((slurm.folder / "job.1.0.pid").read_text()), signal.SIGTERM)

    with ThreadPoolExecutor() as beside:
        beside.submit(end_slow_job)
        assert cli(*eating.arguments("--slurm", "--slurm-poll-s", "1", "--slurm-partition", "short")).code == 1
    (failure,) = json.loads(cli("status", eating.run, "--json").out)["failures"]["items"]
    assert failure["class"] == "timeout"
    assert "a job with 5 min came to its time limit, and partition short allows no more" in failure["message"]
    until((slurm.folder / "job.1.0.code").exists)  # else it would end well after all
    (eating.folder / "go").touch()
    assert cli("rerun", eating.run, "--slurm-partition", "long", "--slurm-account", "lab").code == 0
    given = [json.loads(file.read_text()) for file in sorted(slurm.folder.glob("array.*"))]
    assert [(one["partition"], one.get("account")) for one in given] == [("short", None), ("long", "lab")]
    kept = json.loads((eating.run / "run.json").read_text())["request"]["slurm"]
    assert (kept["partition"], kept["account"], kept["poll_s"]) == ("long", "lab", 1)
    assert "GENOMICS_PIPELINE_SLURM_PARTITION" in cli("run", "--help").out
    assert "GENOMICS_PIPELINE_SLURM_PARTITION" not in cli("rerun", "--help").out  # where it is not obeyed


@pytest.mark.parametrize(
    "others",
    [("--resume", "--slurm", "--slurm-partition", "long"), ("--slurm",), (), ("rerun", "--slurm-partition", "long")],
)
def test_jobs_of_a_killed_head_do_not_run_beside_those_of_another_command(
    cli: Cli, slurm: FakeSlurm, eating: SmallProject, others: tuple[str, ...]
) -> None:
    """Jobs with other options, of an execution from the beginning, on this machine, and with those of a rerun."""
    eating.samples({"slow": READS})
    poll = ("--slurm-poll-s", "1")
    words = [str(word) for word in eating.arguments("--slurm", *poll)]
    with subprocess.Popen([sys.executable, "-m", "genomics_pipeline", *words], stderr=subprocess.DEVNULL) as head:
        until((eating.folder / "slow.started").exists)
        head.kill()

    def go_once_cancelled() -> None:
        try:
            until(lambda: bool(slurm.cancelled()))
        finally:
            (eating.folder / "go").touch()

    with ThreadPoolExecutor() as beside:
        beside.submit(go_once_cancelled)
        if others[:1] == ("rerun",):
            again = cli("rerun", eating.run, *others[1:])
        else:
            again = cli(*eating.arguments(*others, *(poll if others else ())))
    assert again.code == 0, again.err
    assert "cancelled in Slurm: 1" in again.err


def test_options_of_a_rerun_that_do_not_fit_its_run(cli: Cli, slurm: FakeSlurm, eating: SmallProject) -> None:
    cli(*eating.arguments())
    here = cli("rerun", eating.run, "--slurm-partition", "long")
    expected = "expected a run whose jobs are on a cluster, `run --slurm`; this one is not"
    assert (here.code, here.err) == (2, f"error: --slurm-…: {expected}\n")
    cli(*eating.arguments("--slurm", "--slurm-poll-s", "1"))
    wrong = cli("rerun", eating.run, "--slurm-partition", "-p")
    assert (wrong.code, wrong.err) == (
        2,
        "error: --slurm-partition: expected a name, or names separated by commas, found '-p'\n",
    )


def test_commands_on_a_run_of_a_cluster(cli: Cli, slurm: FakeSlurm, eating: SmallProject) -> None:
    step = eating.folder / "eat"
    (step / "step.toml").write_text((step / "step.toml").read_text() + "[retry]\ntimeout = 0\n")
    eating.samples({"late": READS, "slow": READS})  # a job that succeeds would take the task of one that waits

    def end_slow_job() -> None:
        until((eating.folder / "slow.started").exists)
        for array in (eating.run / run_layout.SLURM).iterdir():
            tasks = json.loads((array / TASKS).read_text())["tasks"]
            for index in (place for place, task in enumerate(tasks) if '"slow"' in task["payload"]):
                (array / f"{index}{LOG}").write_text("slurmstepd: error: *** JOB CANCELLED DUE TO TIME LIMIT ***\n")
                until((array / ARRAY).exists)
                slurm.set_state(int((array / ARRAY).read_text()), index, "TIMEOUT")

    with ThreadPoolExecutor() as beside:
        beside.submit(end_slow_job)
        assert cli(*eating.arguments("--slurm", "--slurm-poll-s", "1")).code == 1
    status = json.loads(cli("status", eating.run, "--json").out)
    assert {one["item"]: one["class"] for one in status["failures"]["items"]} == {
        "late": "bad_input",
        "slow": "timeout",
    }
    logs = cli("logs", eating.run, "--failed").out
    assert "error: late: expected food" in logs
    assert "CANCELLED DUE TO TIME LIMIT" in logs
    assert "Slurm ended the job at its time limit of 1,440 min (TIMEOUT)" in cli("why", eating.run, "slow").out
    assert (
        "Slurm ended the job at its time limit of 1,440 min (TIMEOUT)" in (eating.run / run_layout.REPORT).read_text()
    )
    assert cli("report", eating.run).code == 0
    assert cli("cancel", eating.run, "--yes").code == 0
    (eating.folder / "go").touch()
    assert cli("rerun", eating.run).code == 0
    assert json.loads(cli("status", eating.run, "--json").out)["failures"]["items"] == []
    assert cli("why", eating.run, "slow").code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--slurm", "--slurm-partition", "-p"),
            "--slurm-partition: expected a name, or names separated by commas, found '-p'",
        ),
        (
            ("--slurm", "--slurm-scratch", "tmp"),
            "--slurm-scratch: expected an absolute path, which every node has, found 'tmp'",
        ),
        (
            ("--slurm", "--slurm-option", "-p long"),
            "--slurm-option: expected a long option of sbatch such as --constraint=avx2, found '-p long'",
        ),
        (
            ("--slurm", "--slurm-option=--wrap=rm"),
            "--slurm-option: --wrap=rm: --wrap is set for each job; give --constraint and the like only",
        ),
        (("--slurm-qos", "high"), "--slurm-qos is for jobs on a cluster: give --slurm, too"),
        (
            ("--slurm", "--containers"),
            "--slurm: nodes of a cluster have no container engine for users: give --containers apptainer, or none",
        ),
    ],
)
def test_wrong_options(
    cli: Cli, slurm: FakeSlurm, eating: SmallProject, options: tuple[str, ...], message: str
) -> None:
    found = cli(*eating.arguments(*options))
    assert (found.code, found.err) == (2, f"error: {message}\n")
    assert "sbatch" not in slurm.calls()


def test_all_wrong_options_are_reported_at_once(cli: Cli, eating: SmallProject) -> None:
    options = ("--slurm", "--slurm-account", "a b", "--slurm-scratch", "x", "--slurm-option", "y")
    found = cli(*eating.arguments(*options))
    assert len(found.err.splitlines()) == 3


def test_no_slurm_here(cli: Cli, eating: SmallProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = cli(*eating.arguments("--slurm"))
    assert found.code == 1
    assert found.err == ("error: sinfo: expected Slurm's command on PATH, found none; run this on a login node\n")


def test_a_partition_that_is_not_there(cli: Cli, slurm: FakeSlurm, eating: SmallProject) -> None:
    slurm.set("nodes", "")
    found = cli(*eating.arguments("--slurm", "--slurm-partition", "lnog"))
    assert found.code == 1
    assert found.err == (
        "error: partition lnog: expected a partition with nodes, found none; `sinfo` lists them: --slurm-partition\n"
    )


def test_limits_of_a_run_are_those_of_its_reruns(slurm: FakeSlurm, cli: Cli, eating: SmallProject) -> None:
    given = ("--slurm", "--slurm-poll-s", "1", "--jobs", "1", "--cpus", "3", "--memory", "2GiB")
    cli(*eating.arguments(*given))
    kept = json.loads((eating.run / "run.json").read_text())["request"]["slurm"]
    assert (kept["jobs"], kept["cpus"], kept["memory_mib"]) == (1, 3, 2048)
    options = SlurmOptions(jobs=1, cpus=3, memory_mib=2048)
    rerun, changed = (node_capacity(options, os.environ, limits) for limits in (NO_LIMITS, Limits(4, None, 5)))
    assert (rerun.cores, rerun.memory_mib, rerun.jobs) == (3, 2048, 1)
    assert (changed.cores, changed.memory_mib, changed.jobs) == (4, 2048, 5)


def test_core_hours_are_counted_by_partition_and_priced(cli: Cli, slurm: FakeSlurm, eating: SmallProject) -> None:
    """A task is charged for the cores that Slurm allocated, whichever the job could use; the failed one, too."""
    assert cli(*eating.arguments("--slurm", "--slurm-poll-s", "1", "--slurm-partition", "long")).code == 1
    place = eating.run / "steps/eating/good/step.json"
    record = json.loads(place.read_text())
    assert record["host"] == {"partition": "long", "node": "node1", "cores": "1"}
    host = {**record["host"], "cores": "8"}  # of a node that is charged as a whole
    place.write_text(json.dumps({**record, "seconds": 900.0, "host": host}))
    failure = eating.run / "steps/eating/late/failure.json"
    failure.write_text(json.dumps({**json.loads(failure.read_text()), "seconds": 360.0}))
    without = cli("cost", eating.run, "--json")
    assert without.code == 0, without.err
    assert json.loads(without.out)["not_counted"][0] == (
        "dollars of the partition long: give --core-hour-price long=DOLLARS"
    )
    prices = ("--core-hour-price", "9", "--core-hour-price", "long=0.5")
    found = json.loads(cli("cost", eating.run, "--json", *prices).out)
    assert found["stages"]["eating"]["core_hours"] == pytest.approx(2)
    assert found["waste"]["eating"]["core_hours"] == pytest.approx(0.1)
    assert found["partitions"]["long"]["core_hours"] == pytest.approx(2.1)
    assert found["dollars"]["total"] == found["partitions"]["long"]["dollars"] == pytest.approx(1.05)
    assert not any("dollars" in line for line in found["not_counted"])
    shown = cli("cost", eating.run, *prices).out.splitlines()
    assert [line.split() for line in shown if line.startswith("long")] == [["long", "2", "2.100", "1.0500"]]
    plan = {"core_hours": {"by_stage": {"eating": 4.0}}, "dollars": {"by_line": {"compute: eating": 2.0}}}
    (eating.run / "plan.json").write_text(json.dumps(plan))  # as `plan --slurm --save` does
    shown = cli("cost", eating.run, *prices).out.splitlines()
    assert shown[1].split() == ["eating", "1", "2.000", "1.0000", "1.0000", "4.000", "0.50"]
    (line,) = (line for line in shown if line.startswith("compute: eating"))
    assert line.split()[2:] == ["2", "core-hour", "1.0000", "2.0000", "0.50"]


@pytest.mark.parametrize("text", ["cheap", "long=", "=0.04", "-1", "long=nan"])
def test_wrong_prices_of_core_hours(cli: Cli, tmp_path: Path, text: str) -> None:
    found = cli("cost", tmp_path, "--core-hour-price", text)
    expected = "expected DOLLARS or PARTITION=DOLLARS, such as 0.04 or long=0.04"
    assert (found.code, found.err) == (2, f"error: --core-hour-price: {expected}, found {text!r}\n")
