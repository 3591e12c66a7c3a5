"""`run --slurm-head`: the head of a run as a job, on a stand-in for Slurm."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.slurm import FakeSlurm
from tests.patience import until
from tests.small_project import READS, SmallProject, stage_toml

Cli = Callable[..., Any]
PROGRAM = """
import json, pathlib, sys, time
task = json.load(open(sys.argv[1]))
here = pathlib.Path(__file__).parent.parent
with (here / "starts").open("a") as starts:
    starts.write(task["item"]["sample"] + chr(10))
while not (here / "go").exists():
    time.sleep(0.02)
open(task["outputs"]["out"], "w").write("x")
"""
STEP = '[inputs.reads]\ntype = "reads"\n[outputs.out]\npath = "{sample}.txt"\n[resources]\nmemory_mib = 200\n'
OPTIONS = ("--slurm", "--slurm-head", "--slurm-poll-s", "1")
SECRET = "GENOMICS_TEST_SECRET"


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    """Return the stand-in, whose commands are on PATH."""
    made = FakeSlurm(tmp_path / "slurm")
    monkeypatch.setenv("PATH", str(made.path), prepend=":")
    monkeypatch.setenv(SECRET, "hush")
    monkeypatch.setenv("GENOMICS_PIPELINE_SLURM_CHECK", "none")
    return made


@pytest.fixture
def waiting(project: SmallProject) -> Iterator[SmallProject]:
    """Yield a project whose program waits for a file beside it; at the end, let those end that still wait."""
    project.step("eat", PROGRAM, STEP)
    project.pipeline(stage_toml("eating", "./eat", "eaten", {"reads": "sample.reads"}))
    project.samples({"one": READS})
    yield project
    (project.folder / "go").touch()


def starts(project: SmallProject) -> list[str]:
    """Return the samples whose programs started."""
    file = project.folder / "starts"
    return file.read_text().split() if file.exists() else []


def has_ended(slurm: FakeSlurm, number: int) -> bool:
    """Return whether a job without an array has ended."""
    return (slurm.folder / f"job.{number}.code").exists()


def status(project: SmallProject) -> str:
    """Return the status in the record of the run; empty for none."""
    file = project.run / "run.json"
    return str(json.loads(file.read_text())["status"]) if file.exists() else ""


def test_a_head_runs_as_a_job(cli: Cli, slurm: FakeSlurm, waiting: SmallProject) -> None:
    options = ("--slurm-partition", "long", "--slurm-head-minutes", "60", "--slurm-head-memory", "1GiB")
    (waiting.folder / "go").touch()
    ended = cli(*waiting.arguments(*OPTIONS, *options))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"{waiting.run}: its head is job 1 of Slurm",
        f"  genomics-pipeline status {waiting.run}",
        f"  genomics-pipeline logs {waiting.run} --head",
        f"  genomics-pipeline cancel {waiting.run}",
    ]
    until(lambda: has_ended(slurm, 1))
    given = json.loads((slurm.folder / "array.1").read_text())
    assert {name: given[name] for name in ("partition", "time", "mem", "signal", "requeue", "open-mode")} == {
        "partition": "long",
        "time": "60",
        "mem": "1024M",
        "signal": "B:USR1@120",
        "requeue": "",
        "open-mode": "append",
    }
    assert status(waiting) == "SUCCEEDED"
    log = cli("logs", waiting.run, "--head")
    assert log.code == 0
    assert "1 step ran" in log.out
    sent = "".join((slurm.folder / name).read_text() for name in ("array.1", "script.1", "array.2", "script.2"))
    assert "hush" not in sent
    assert SECRET not in sent


def test_what_is_wrong_is_reported_before_a_head_is_submitted(
    cli: Cli, slurm: FakeSlurm, waiting: SmallProject
) -> None:
    (waiting.folder / "one.fastq").unlink()
    ended = cli(*waiting.arguments(*OPTIONS))
    assert ended.code == 1
    assert "one.fastq" in ended.err
    assert "sbatch" not in slurm.calls()
    assert cli(*waiting.arguments("--slurm-head")).err == (
        "error: --slurm-head is for jobs on a cluster: give --slurm, too\n"
    )


def test_a_head_that_waits(cli: Cli, slurm: FakeSlurm, waiting: SmallProject) -> None:
    slurm.set("hold")
    assert json.loads(cli(*waiting.arguments(*OPTIONS, "--json")).out)["head"] == "1"
    seen = cli("status", waiting.run)
    waits = "job 1 in Slurm (PENDING, Resources on node1)"
    assert (seen.code, seen.err) == (0, "")
    assert seen.out.startswith("run  RUNNING  not begun")
    assert f"head: {waits}\n" in seen.out
    again = cli(*waiting.arguments(*OPTIONS))
    assert again.err == (
        f"error: {waiting.run}: {waits} is its head already; wait for it, or end it: "
        f"genomics-pipeline cancel {waiting.run}\n"
    )
    assert "found none yet" in cli("logs", waiting.run, "--head").err
    cancelled = cli("cancel", waiting.run, "--yes")
    assert (cancelled.code, cancelled.err) == (0, f"cancelling the head: {waits}\n")
    logs = f"genomics-pipeline logs {waiting.run} --head"
    assert cli("status", waiting.run).err == (
        f"error: {waiting.run}: expected an execution, found none, and its head has ended: {logs}\n"
    )
    slurm.unset("hold")
    (waiting.folder / "go").touch()
    assert cli(*waiting.arguments(*OPTIONS)).code == 0
    until(lambda: has_ended(slurm, 2))
    assert status(waiting) == "SUCCEEDED"


def test_a_head_resumes_after_its_time_limit(cli: Cli, slurm: FakeSlurm, waiting: SmallProject) -> None:
    assert cli(*waiting.arguments(*OPTIONS)).code == 0
    until(lambda: starts(waiting))
    first = int((slurm.folder / "job.1.pid").read_text())
    os.kill(first, signal.SIGUSR1)
    until(lambda: (slurm.folder / "job.1.old").exists() and (slurm.folder / "job.1.pid").exists())
    until(lambda: "resuming execution" in (waiting.run / ".engine/slurm/head/log.txt").read_text())
    seen = cli("status", waiting.run)
    assert "head: job 1 in Slurm (RUNNING on node1)" in seen.out
    (waiting.folder / "go").touch()
    until(lambda: has_ended(slurm, 1))
    assert status(waiting) == "SUCCEEDED"
    assert starts(waiting) == ["one"]


@pytest.mark.parametrize("by_us", [True, False])
def test_a_head_that_is_cancelled(by_us: bool, cli: Cli, slurm: FakeSlurm, waiting: SmallProject) -> None:
    assert cli(*waiting.arguments(*OPTIONS)).code == 0
    until(lambda: starts(waiting))
    if by_us:
        assert cli("cancel", waiting.run, "--yes").code == 0
        assert status(waiting) == "ABORTED"
        assert (slurm.folder / "job.2.0.state").read_text() == "CANCELLED"
        return
    os.kill(int((slurm.folder / "job.1.pid").read_text()), signal.SIGTERM)  # as when it is preempted
    until(lambda: has_ended(slurm, 1))
    assert not (slurm.folder / "job.2.0.state").exists()  # its jobs go on
    (waiting.folder / "go").touch()
    assert cli(*waiting.arguments(*OPTIONS)).code == 0
    until(lambda: status(waiting) == "SUCCEEDED")
    assert starts(waiting) == ["one"]


def test_a_rerun_has_a_head(cli: Cli, slurm: FakeSlurm, waiting: SmallProject) -> None:
    (waiting.folder / "go").touch()
    program = waiting.folder / "eat/eat.py"
    program.write_text("raise SystemExit(65)")
    assert cli(*waiting.arguments("--slurm", "--slurm-poll-s", "1")).code == 1
    program.write_text(PROGRAM)
    ended = cli("rerun", waiting.run, "--sample", "one", "--slurm-head")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"{waiting.run}: its head is job 2 of Slurm\n")
    until(lambda: has_ended(slurm, 2))
    assert status(waiting) == "SUCCEEDED"
    submitted = slurm.calls().count("sbatch")
    again = cli(
        "rerun", waiting.run, "--sample", "one", "--no-slurm-head", "--after", "1"
    )  # as a head that starts again
    assert again.code == 0
    assert "execution run-2 has ended before" in again.out
    assert "nothing to rerun" in cli("rerun", waiting.run, "--slurm-head").out
    assert slurm.calls().count("sbatch") == submitted


def test_a_rerun_without_jobs_on_a_cluster_has_no_head(cli: Cli, slurm: FakeSlurm, waiting: SmallProject) -> None:
    (waiting.folder / "go").touch()
    assert cli(*waiting.arguments()).code == 0
    ended = cli("rerun", waiting.run, "--slurm-head")
    expected = "expected a run whose jobs are on a cluster, `run --slurm`"
    assert (ended.code, ended.err) == (2, f"error: --slurm-head: {expected}\n")
