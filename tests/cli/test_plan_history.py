"""`plan --history`: plans that learn from the records of earlier runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.small_project import COPY, COPY_DECLARATIONS, READS, SmallProject, stage_toml

Cli = Callable[..., Any]
NAMES = [f"S{number}" for number in range(1, 21)]


@pytest.fixture
def pilot(cli: Cli, project: SmallProject) -> list[str | Path]:
    """Run a pilot of twenty samples, and return the arguments of a plan that learns from it.

    Its records are made those of one core: sample N reads N MB in 10 s and 100 s of work for each MB.
    """
    project.step("copy", COPY, f"{COPY_DECLARATIONS}[resources]\nvcpus = 2\n")
    stage = stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"})
    pipeline = project.pipeline(stage, settings="tolerated_failure_percentage = 100\nmax_concurrency = 10")
    panel = project.folder / "panel"
    panel.write_text("")
    project.samples(dict.fromkeys(NAMES, READS))
    assert cli(*project.arguments("--param", f"copying.panel={panel}")).code == 0
    for number, name in enumerate(NAMES, 1):
        needs = {"seconds": 10 + 100 * number, "processor_seconds": 100 * number, "vcpus": 1}
        change(project, name, **needs, input_bytes=number * 10**6, peak_memory_mib=300)
    return [
        "--rate",
        "host_lost=0",
        "--pipeline",
        pipeline,
        "--param",
        f"copying.panel={panel}",
        "--history",
        project.run,
    ]


def change(project: SmallProject, sample: str, **members: object) -> None:
    record = project.run / "steps" / "copying" / sample / "step.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), **members}))


def test_needs_are_those_of_the_records_for_the_size_and_cores_of_the_plan(
    cli: Cli, pilot: list[str | Path], project: SmallProject
) -> None:
    """Without rates of the step: 100 MB on two cores are 10 s and half of 10,000 s."""
    ended = cli("plan", "--json", "--samples", "5", "--gigabytes", "0.1", *pilot)
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)
    # 180 s until the first host, and 15 s to start a job on it.
    assert found["duration_s"]["p50"] == pytest.approx(180 + 15 + 10 + 5000, abs=2)
    memory = {one["name"]: one["used"] for one in found["quotas"]}["copying: memory of a job"]
    assert memory == pytest.approx(300)
    assert f"seconds, memory and sizes: records of {project.run}, as of the same reference" in found["assumptions"]
    expected = "expected 10 records of copy 1 with 2 cores or more, found 0 and 20 with fewer"
    lacks = f"copying: the first attempt has 2,048 MiB, as in step.toml: {expected}"
    assert lacks in found["assumptions"]
    ended = cli("plan", "--samples", "5", "--gigabytes", "0.1", "--explain", "duration", *pilot)
    assert "20 tasks of earlier runs on a machine outside of AWS" in ended.out


def test_first_attempts_are_learned_and_priced(cli: Cli, pilot: list[str | Path], project: SmallProject) -> None:
    """As `submit --history` does: the memory of the pilot's jobs, 5 % and 128 MiB of the worker, in steps of 64 MiB."""
    project.step("copy", COPY, f"{COPY_DECLARATIONS}[resources]\nvcpus = 2\nmemory_mib = [65536, 131072]\n")
    arguments = ["plan", "--samples", "5", "--gigabytes", "0.02", *pilot]

    def plan() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(cli(*arguments, "--json", "--what-if", "worst_memory").out)
        return found

    def compute(found: dict[str, Any]) -> float:
        dollars: float = found["dollars"]["by_line"]["compute: copying"]
        return dollars

    without = plan()  # the jobs of the pilot had one core
    for name in NAMES:
        change(project, name, vcpus=2)
    learned = plan()
    assert compute(learned) < compute(without) / 3
    assert learned["what_if"]["alone"]["worst_memory"] > 0
    lines = learned["assumptions"]
    expected = "copying: the first attempt has 448 MiB, which 99 of 100 jobs do not exceed, in place of 65,536, and "
    assert any(line.startswith(expected) for line in lines)
    explained = cli(*arguments, "--explain", "compute: copying").out
    assert "2 vCPUs and 448 MiB, as their share of a host" in explained


def test_records_of_another_version_are_refused(cli: Cli, pilot: list[str | Path], project: SmallProject) -> None:
    project.step("copy", COPY, f"{COPY_DECLARATIONS}[resources]\nvcpus = 2\n")
    toml = project.folder / "copy" / "step.toml"
    toml.write_text(toml.read_text().replace('version = "1"', 'version = "2"'))
    ended = cli("plan", "--samples", "5", "--gigabytes", "0.1", *pilot)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        f"error: --history {project.run}: expected records of copy 2, found those of 1, whose needs may differ; run a "
        "pilot with this version: `run --subsample`\n"
    )


def test_runs_without_records_tell_nothing(cli: Cli, pilot: list[str | Path], project: SmallProject) -> None:
    for record in project.run.glob("steps/copying/*/step.json"):
        record.unlink()
    missing = project.folder / "no-run"
    ended = cli("plan", "--samples", "5", "--gigabytes", "0.1", *pilot)
    expected = f"error: --history {project.run}: expected completion records of tasks, found none\n"
    assert (ended.code, ended.out, ended.err) == (1, "", expected)
    ended = cli("plan", "--samples", "5", "--gigabytes", "0.1", *pilot, "--history", missing)
    assert ended.code == 1
    assert f"{missing}: expected a run's folder, found" in ended.err


def record_times(project: SmallProject, seconds: float, task_s: float) -> None:
    """Record a run of a number of seconds, whose tasks followed each other on two cores, 0.5 s apart."""
    run = json.loads((project.run / "run.json").read_text())
    begin = datetime.fromisoformat(run["started"])
    for number, name in enumerate(NAMES):
        started = begin + timedelta(seconds=1 + number // 2 * (task_s + 0.5))
        of_two = {"vcpus": 1, "processor_seconds": task_s, "input_bytes": 10**6}
        change(project, name, started=started.isoformat(), seconds=task_s, **of_two)
    run["summary"]["seconds"] = seconds
    (project.run / "run.json").write_text(json.dumps(run))


def test_a_run_here_is_planned_from_a_pilot_of_it(cli: Cli, pilot: list[str | Path], project: SmallProject) -> None:
    """Twenty tasks of 10 s on two cores are 104.5 s; the pilot's command took 5.5 s more."""
    record_times(project, 110, 10)
    here = ["--here", "--cpus", "2", "--memory", "8GiB", *pilot[2:]]
    ended = cli("plan", "--json", "--samples", "20", "--gigabytes", "0.001", *here)
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert (found["jobs"], found["transitions"], found["status"]) == (20, 41, "SUCCEEDED")
    assert found["command_s"] == pytest.approx(5.5)
    assert found["duration_s"]["p50"] == pytest.approx(110, abs=0.1)
    assert found["core_hours"]["total"] == pytest.approx(200 / 3600, abs=1e-4)
    assert [one["input_bytes"] for one in found["timeline"]] == [20 * 10**6]
    assert "quotas" not in found
    # Ten samples of three times the size: without rates of the step, its tasks grow in proportion.
    ended = cli("plan", "--json", "--samples", "10", "--gigabytes", "0.003", *here)
    assert json.loads(ended.out)["duration_s"]["p50"] == pytest.approx(5.5 + 5 * 30 + 4 * 0.5, abs=0.1)


@pytest.mark.parametrize(("left_out_s", "planned_s"), [(0, 100), (9.5, 5)])
def test_a_pilot_of_a_fraction_read_as_much_as_it_took(
    cli: Cli, pilot: list[str | Path], project: SmallProject, left_out_s: float, planned_s: float
) -> None:
    """Ten seconds for a tenth of the reads; those that passed over the other reads do not grow."""
    record_times(project, 110, 10)
    for name in NAMES:
        record = project.run / "steps" / "copying" / name / "step.json"
        parameters = json.loads(record.read_text())["parameters"]
        change(project, name, parameters={**parameters, "subsample": 0.1}, left_out_seconds=left_out_s)
    ended = cli("plan", "--json", "--samples", "20", "--gigabytes", "0.001", "--here", "--cpus", "2", *pilot[2:])
    found = json.loads(ended.out)
    assert found["timeline"][0]["job_s"] == pytest.approx(planned_s)


def test_a_plan_of_a_run_here_stands_beside_its_core_hours(
    cli: Cli, pilot: list[str | Path], project: SmallProject
) -> None:
    record_times(project, 110, 10)
    here = ["--here", "--cpus", "2", "--save", project.run, *pilot[2:]]
    assert cli("plan", "--samples", "20", "--gigabytes", "0.002", *here).code == 0
    assert [line.split() for line in cli("cost", project.run).out.splitlines()][:2] == [
        ["stage", "tasks", "core-hours", "planned", "ratio"],
        ["copying", "20", "0.056", "0.111", "0.50"],
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--here", "--max-vcpus", "4", "--what-if", "nat"],
            2,
            "error: --max-vcpus: expected a run on AWS, found --here; leave one out\n"
            "error: --what-if: expected a run on AWS, found --here; leave one out\n",
        ),
        (
            ["--cpus", "4"],
            2,
            "error: --cpus, --memory, --jobs: expected --here or --slurm beside them: "
            "hosts of AWS are another matter\n",
        ),
    ],
)
def test_options_of_the_other_kind_of_run_are_refused(cli: Cli, arguments: list[str], code: int, message: str) -> None:
    ended = cli("plan", "--samples", "1", "--gigabytes", "1", *arguments)
    assert (ended.code, ended.out, ended.err) == (code, "", message)


def test_a_machine_that_is_too_small_is_refused(cli: Cli) -> None:
    ended = cli("plan", "--samples", "1", "--gigabytes", "1", "--here", "--memory", "1GiB")
    assert (ended.code, ended.out) == (1, "")
    assert "error: this machine is too small: a job of step alignment needs " in ended.err
