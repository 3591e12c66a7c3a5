"""`run --slurm` and `rerun` by their commands, on a stand-in for Slurm."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.runs.slurm import attempts
from tests.fakes.slurm import FakeSlurm
from tests.small_project import READS, SmallProject, stage_toml

Cli = Callable[..., Any]
PROGRAM = """
import json, pathlib, sys
task = json.load(open(sys.argv[1]))
sample, here = task["item"]["sample"], pathlib.Path(__file__).parent
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
    (eating.folder / "eat/go").touch()
    rerun = cli("rerun", eating.run)
    assert rerun.code == 0, rerun.err
    given = [json.loads(file.read_text()) for file in sorted(slurm.folder.glob("array.*"))]
    assert [(one["partition"], one["constraint"], one["array"]) for one in given] == [
        ("long", "avx2", "0-1"),
        ("long", "avx2", "0-0"),
    ]


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
            "--slurm runs each job as a process of its node: it cannot be used with --containers",
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
