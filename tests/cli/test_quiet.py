"""`--quiet`, `--verbose` and `NO_COLOR`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import Ended
from tests.pseudo_terminal import run_in_terminal
from tests.small_project import COPY, COPY_DECLARATIONS, SmallProject, stage_toml

Cli = Callable[..., Ended]


@pytest.fixture
def small(project: SmallProject) -> SmallProject:
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}))
    project.samples({"A": "@a\nACGT\n+\nIIII\n", "B": "@torn\nACGT\n+\nIIII\n"})
    return project


def test_a_quiet_run_prints_its_summary_only(small: SmallProject, cli: Cli) -> None:
    ended = cli(*small.arguments("--quiet", "--param", "copying.program=if 'torn' in text: raise SystemExit(1)"))
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.startswith("Sample  ")
    ended = cli("rerun", small.run, "--quiet", "--param", "copying.program=pass")
    assert (ended.code, ended.err) == (0, "")
    assert "B           done" in ended.out


@pytest.mark.parametrize("command", ["run", "rerun"])
def test_quiet_and_verbose_exclude_each_other(small: SmallProject, cli: Cli, command: str) -> None:
    assert cli(*small.arguments()).code == 0
    arguments = small.arguments() if command == "run" else ["rerun", str(small.run)]
    ended = cli(*arguments, "--quiet", "--verbose")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: --quiet, --verbose: expected one of them\n"


def test_no_colour_where_the_user_wants_none(small: SmallProject, cli: Cli) -> None:
    assert cli(*small.arguments()).code == 0
    command = ["logs", str(small.run), "--sample", "A"]
    assert b"\x1b[" in run_in_terminal(command, {"NO_COLOR": ""}).printed
    assert b"\x1b[" not in run_in_terminal(command, {"NO_COLOR": "1"}).printed
    assert b"\x1b[" not in run_in_terminal(command, {"TERM": "dumb"}).printed


def test_a_run_in_a_terminal_that_cannot_draw_prints_a_line_for_each_event(small: SmallProject) -> None:
    printed = run_in_terminal(small.arguments(), {"TERM": "dumb"}).printed
    assert b"copying A: done in " in printed
    assert b"\x1b" not in printed
