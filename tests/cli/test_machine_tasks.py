"""The tasks that runs keep, and the plans and bars of later runs that start from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.cli.adapters import KEEP_TASKS, adapters
from genomics_pipeline.records.machine_tasks import MachineTask, read_machine_tasks
from genomics_pipeline.runs.local.request import LocalRunRequest
from genomics_pipeline.runs.machine_tasks import machine_tasks_file
from genomics_pipeline.runs.time_left import expected_time
from tests.small_project import SmallProject

Cli = Callable[..., Any]
EARLIER = "earlier runs on this machine: "


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let commands keep tasks, in a cache of this test."""
    monkeypatch.delenv(KEEP_TASKS)
    monkeypatch.setenv("GENOMICS_PIPELINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def arguments(small: SmallProject, cache: Path) -> list[str]:
    """Return the arguments of a run of two samples through two stages of one step, which has no rates."""
    panel = small.folder / "panel"
    panel.write_text("")
    return small.arguments(*(f"--param={stage}.panel={panel}" for stage in ("copying", "ending")))


def kept(cache: Path) -> list[MachineTask]:
    return read_machine_tasks(machine_tasks_file(cache))


def plan_arguments(arguments: list[str]) -> list[str]:
    """Return the arguments of a plan of the same run."""
    out = next(place for place, one in enumerate(arguments) if one == "--out")
    return ["plan", *arguments[1:out], *arguments[out + 2 :], "--json"]


def test_a_second_run_is_planned_from_the_first(cli: Cli, arguments: list[str], cache: Path) -> None:
    plan = [*plan_arguments(arguments), "--here"]
    assert "expected rates of the step copy" in cli(*plan).err
    assert cli(*arguments).code == 0
    tasks = kept(cache)
    assert [(one.step, one.samples, one.reference_bases) for one in tasks] == [("copy", 1, 10)] * 4
    assert all(one.seconds > 0 and one.outputs["copy"] > 0 for one in tasks)
    found = json.loads(cli(*plan).out)
    assert f"{EARLIER}4 tasks of copy" in found["assumptions"]
    mean = sum(one.seconds for one in tasks) / 4
    assert 0.2 * mean < found["timeline"][0]["job_s"] < 5 * mean


def test_what_was_reused_is_not_kept_again(cli: Cli, arguments: list[str], cache: Path) -> None:
    assert cli(*arguments).code == 0
    assert cli(*arguments).code == 0
    assert len(kept(cache)) == 4


def test_tasks_with_other_parameters_tell_nothing(cli: Cli, arguments: list[str], cache: Path) -> None:
    assert cli(*arguments).code == 0
    others = [f"--param={stage}.ending=other" for stage in ("copying", "ending")]
    assert "expected rates of the step copy" in cli(*plan_arguments(arguments), *others, "--here").err


def test_plans_of_other_machines_start_from_nothing_of_this_one(cli: Cli, arguments: list[str], cache: Path) -> None:
    assert cli(*arguments).code == 0
    assert "expected rates of the step copy" in cli(*plan_arguments(arguments)).err


def test_nothing_is_kept_or_read_where_that_is_not_wanted(
    cli: Cli, arguments: list[str], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli(*arguments).code == 0
    file = machine_tasks_file(cache)
    before = file.read_bytes()
    monkeypatch.setenv(KEEP_TASKS, "no")
    assert "expected rates of the step copy" in cli(*plan_arguments(arguments), "--here").err
    again = [one if one != arguments[arguments.index("--out") + 1] else f"{one}-2" for one in arguments]
    assert cli(*again).code == 0
    assert file.read_bytes() == before


def test_a_run_does_not_need_the_place_of_its_tasks(cli: Cli, arguments: list[str], cache: Path) -> None:
    cache.mkdir(0o700)
    (cache / "tasks").write_text("a file in the place of the folder")
    ended = cli(*arguments)
    assert (ended.code, kept(cache)) == (0, [])


def test_the_bar_of_a_second_run_knows_a_step_without_rates(
    cli: Cli, small: SmallProject, arguments: list[str], cache: Path
) -> None:
    given = {str(one).partition("=")[2] for one in arguments if str(one).startswith("--param=")}
    values = dict(zip(arguments[2::2], arguments[3::2], strict=False))
    request = LocalRunRequest(
        str(arguments[1]),
        str(values["--reference"]),
        Path(str(values["--out"])),
        pipeline=str(values["--pipeline"]),
        parameters=sorted(given),
    )
    assert expected_time(request, adapters()) is None
    assert cli(*arguments).code == 0
    left = expected_time(request, adapters())
    assert left is not None
    assert left.seconds(0).middle > 0


def test_the_cache_lists_and_removes_them(cli: Cli, arguments: list[str], cache: Path) -> None:
    assert cli(*arguments).code == 0
    file = machine_tasks_file(cache)
    listed = [json.loads(line) for line in cli("cache", "list", "--json").out.splitlines()]
    assert [one["source"] for one in listed if one["folder"] == str(file)] == [f"needs of tasks on {file.stem}"]
    assert f"would be removed: needs of tasks on {file.stem}" in cli("cache", "clean", "--dry-run").out
    assert f"removed: needs of tasks on {file.stem}" not in cli("cache", "clean", "--unused-for", "1").out
    assert file.exists()
    assert f"removed: needs of tasks on {file.stem}" in cli("cache", "clean").out
    assert not file.exists()
