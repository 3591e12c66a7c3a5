"""The options for what jobs may use of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from genomics_pipeline.cli.main import cli as root
from genomics_pipeline.cli.options import FiniteRange

Cli = Callable[..., Any]


@pytest.fixture
def cohort(tmp_path: Path, cli: Cli) -> Path:
    folder = tmp_path / "cohort"
    assert cli("simulate", "--out", folder, "--samples", "1", "--length", "5000", "--depth", "4").code == 0
    return folder


def test_a_machine_that_is_too_small_is_refused_before_anything_runs(cohort: Path, tmp_path: Path, cli: Cli) -> None:
    inputs = (cohort / "cohort.csv", "--reference", cohort / "reference.fa", "--out", tmp_path / "run")
    ended = cli("run", *inputs, "--memory", "100MiB")
    assert ended.code == 1
    assert "error: this machine is too small: a job of step alignment needs 481 MiB, found 100 MiB" in ended.err
    assert not (tmp_path / "run" / "steps").exists()


def test_the_limits_and_how_jobs_were_scaled_are_details(cohort: Path, tmp_path: Path, cli: Cli) -> None:
    inputs = (cohort / "cohort.csv", "--reference", cohort / "reference.fa", "--out", tmp_path / "run")
    limits = ("--cpus", "2", "--memory", "1.5GiB", "--jobs", "1")
    ended = cli("run", *inputs, *limits, "--verbose")
    assert ended.code == 0
    assert "machine: 2 cores (--cpus), 1,536 MiB for jobs (--memory), at most 1 job at once; jobs that fit" in ended.err
    assert ended.err.count("alignment: declares 8 vCPUs and 14500 MiB, scaled down to 2 and 1536 MiB") == 1
    again = cli("run", *inputs, *limits)
    assert (again.code, again.err.count("declares"), again.err.count("machine:")) == (0, 0, 0)


@pytest.mark.parametrize("command", ["run", "step", "execute", "doctor"])
def test_every_command_that_runs_jobs_has_the_options(cli: Cli, command: str) -> None:
    shown = cli(command, "--help").out
    assert all(option in shown for option in ("--cpus", "--memory", "--jobs"))


def test_a_rerun_has_them_too(cli: Cli) -> None:
    shown = cli("rerun", "--help").out
    assert all(option in shown for option in ("--cpus", "--machine-memory", "--jobs"))


@pytest.mark.parametrize("size", ["", "0", "64 GiBs", "-1GiB", "1e3", "GiB", "0.0001M", "9" * 400, "٣GiB"])
def test_wrong_amounts_of_memory(cli: Cli, size: str) -> None:
    ended = cli("doctor", "--memory", size)
    assert ended.code == 2
    assert "--memory: expected an amount of memory such as 64GiB or 512MiB, found" in ended.err


@pytest.mark.parametrize(("option", "value"), [("--cpus", "0"), ("--cpus", "x"), ("--jobs", "0"), ("--jobs", "1.5")])
def test_wrong_numbers(cli: Cli, option: str, value: str) -> None:
    assert cli("doctor", option, value).code == 2


@pytest.mark.parametrize("value", ["nan", "inf", "-nan", "1e999"])
@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["plan", "--samples", "1", "--gigabytes", "1", "--pipeline", "germline-single"], "--arriving-days"),
        (["plan", "--records", "10", "--pipeline", "transactions"], "--batch-seconds"),
        (["status", "a-run", "--watch"], "--budget"),
        (["watch", "."], "--every"),
        (["cache", "clean"], "--unused-for"),
        (["simulate", "--out", "out"], "--every"),
    ],
)
def test_no_number_is_not_a_number_or_infinite(cli: Cli, command: list[str], option: str, value: str) -> None:
    ended = cli(*command, f"{option}={value}")
    assert (ended.code, ended.out) == (2, "")
    assert option in ended.err
    assert "finite number" in ended.err or "not in the range" in ended.err


def _options(command: click.Command) -> Iterator[click.Parameter]:
    yield from command.params
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            one = command.get_command(context, name)
            assert one is not None
            yield from _options(one)


def test_every_option_that_is_a_number_refuses_what_is_none() -> None:
    """Leave out sizes of samples, which `plan` refuses with the number of samples."""
    every = {one.name: one.type for one in _options(root) if isinstance(one.type, click.types.FloatParamType)}
    others = {name: kind for name, kind in every.items() if name != "gigabytes"}
    assert len(others) > 4
    assert [name for name, kind in others.items() if not isinstance(kind, FiniteRange)] == []
