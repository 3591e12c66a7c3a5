"""`plan --history`: plans that learn from the records of earlier runs."""

from __future__ import annotations

import json
from collections.abc import Callable
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
    # 20 tasks are too few for 99 %: 5 % more than the most, and 128 MiB of the worker.
    expected = "copying: 99 of 100 jobs need at most 443 MiB, where the first attempt has 2,048 MiB"
    assert f"{expected} (memory_ladder of copy's step.toml)" in found["assumptions"]
    ended = cli("plan", "--samples", "5", "--gigabytes", "0.1", "--explain", "duration", *pilot)
    assert "20 tasks of earlier runs on a machine outside of AWS" in ended.out


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
