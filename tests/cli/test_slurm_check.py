"""`run --slurm-check`: Python, folders and clocks of nodes before the first job, on a stand-in for Slurm."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.runs.slurm import attempts, checked_nodes, node_check
from genomics_pipeline.runs.slurm.node_check import Expectation, find_problems
from tests.fakes.slurm import FakeSlurm
from tests.small_project import COPY, COPY_DECLARATIONS, READS, SmallProject, stage_toml

Cli = Callable[..., Any]
OPTIONS = ("--slurm", "--slurm-poll-s", "1")


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    """Return the stand-in, whose commands are on PATH."""
    made = FakeSlurm(tmp_path / "slurm")
    monkeypatch.setenv("PATH", str(made.path), prepend=":")
    monkeypatch.setattr(attempts, "LOOK_S", 0.02)
    for name in ("LOOK_S", "LATE_S"):
        monkeypatch.setattr(checked_nodes, name, 0.02)
    return made


@pytest.fixture
def copying(project: SmallProject) -> SmallProject:
    """Return a project of one step and one sample."""
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}))
    project.samples({"A": READS})
    return project


def checks(slurm: FakeSlurm) -> list[str]:
    """Return the node that each job of a check asked for, empty for any."""
    given = [json.loads(file.read_text()) for file in sorted(slurm.folder.glob("array.*"))]
    return [one.get("nodelist", "") for one in given if one["job-name"] == "genomics-pipeline-check"]


def test_nodes_are_checked_once(cli: Cli, slurm: FakeSlurm, copying: SmallProject) -> None:
    ended = cli(*copying.arguments(*OPTIONS))
    assert ended.code == 0, ended.err
    assert "checking the default partition: job 1" in ended.err
    assert "GiB free in" in ended.err
    assert checks(slurm) == [""]
    assert cli(*copying.arguments(*OPTIONS)).code == 0
    assert checks(slurm) == [""]
    assert cli(*copying.arguments(*OPTIONS, "--slurm-check", "nodes")).code == 0
    assert checks(slurm) == ["", "node1", "node2"]
    assert cli(*copying.arguments(*OPTIONS, "--slurm-check", "none", "--slurm-qos", "x")).code == 0
    assert checks(slurm) == ["", "node1", "node2"]


def test_a_node_that_differs(
    cli: Cli, slurm: FakeSlurm, copying: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked_nodes, "package_words", lambda: "0.0.9 (another)")
    monkeypatch.setattr(checked_nodes, "clock_s", lambda _: 3600.0)
    scratch = copying.folder / "none"
    ended = cli(*copying.arguments(*OPTIONS, "--slurm-scratch", scratch))
    assert ended.code == 1
    node = "error: node "
    package, folder, clock = (line for line in ended.err.splitlines() if line.startswith(node))
    assert "expected genomics-pipeline 0.0.9 (another), as the head has it, found 0.1.0 (" in package
    assert f"{scratch}: expected a folder that can be written to: No such file or directory" in folder
    assert "expected the clock of the head, found one that is 3,600 s behind it; ask the administrator" in clock
    assert len(list(slurm.folder.glob("array.*"))) == 1  # no job of the run


def test_a_node_without_the_program(
    cli: Cli, slurm: FakeSlurm, copying: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked_nodes, "SCRIPT", "exec /none/python\n")
    ended = cli(*copying.arguments(*OPTIONS))
    found = f"expected {sys.executable} and {copying.run}/.engine/slurm/checks/"
    assert ended.code == 1
    assert f"error: node node1: {found}" in ended.err
    assert "/none/python: not found (job 1, FAILED)" in ended.err


def test_a_check_that_never_starts(cli: Cli, slurm: FakeSlurm, copying: SmallProject) -> None:
    slurm.set("hold")
    (slurm.folder / "job.1.state").write_text("PENDING InvalidAccount")
    ended = cli(*copying.arguments(*OPTIONS))
    assert ended.code == 1
    assert (
        "error: the default partition: MISCONFIGURATION: Slurm never starts the job (InvalidAccount): "
        "give another account: --slurm-account\n" in ended.err
    )
    assert (slurm.folder / "job.1.state").read_text() == "CANCELLED"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"python": "2.7"}, "expected Python 2.7, as the head has it, found "),
        ({"files": [("/none/a.fa", 4)]}, "/none/a.fa: expected it on a file system that all nodes have: No such file"),
        ({"files": [("{here}/a", 4)]}, "expected 4 bytes, as the head sees it, found 3: is it the same file system?"),
        ({"folders": ["/proc/none"]}, "/proc/none: expected a folder that can be written to: "),
        ({"clock_s": -3600.0}, "expected the clock of the head, found one that is 3,600 s ahead of it"),
        ({"files": [("{here}/a", 3), ("{here}", 0)]}, None),
    ],
)
def test_what_is_wrong_with_a_node(change: dict[str, Any], problem: str | None, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abc")
    changed = json.loads(json.dumps(change).replace("{here}", str(tmp_path)))
    usual = Expectation(sys.version.split()[0], node_check.package_words(), [], [str(tmp_path)], "", 0.0)
    expected = Expectation(**{**{name: getattr(usual, name) for name in usual.__slots__}, **changed})
    found = list(find_problems(expected, tmp_path, tmp_path))
    assert len(found) == (problem is not None)
    assert problem is None or problem in found[0]
