"""`plan`: the changes that would save most, each compared with a plan of the changed run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.planning import savings
from genomics_pipeline.runs.catalog import shipped_folder
from tests.small_project import COPY, COPY_DECLARATIONS, SmallProject, stage_toml

Cli = Callable[..., Any]
COHORT = ("--samples", "300", "--gigabytes", "75", "--max-vcpus", "8000", "--rate", "host_lost=0")
RATES = """
date = "2026-11-28"
machine = "a machine"
[steps.copy]
version = "1"
basis = "a measurement"
core_seconds = { fixed = 100 }
serial_fraction = 1.0
spread = 1.0
memory_mib = { fixed = 100 }
memory_spread = 1.0
output_bytes = { fixed = 1_073_741_824 }
"""


@pytest.fixture
def plan(cli: Cli) -> Callable[..., dict[str, Any]]:
    """Return the JSON object of a plan with these arguments."""

    def planned(*arguments: str | Path) -> dict[str, Any]:
        ended = cli("plan", "--json", *arguments)
        assert (ended.code, ended.err) == (0, "")
        found: dict[str, Any] = json.loads(ended.out)
        return found

    return planned


@pytest.fixture
def every(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plans show every change that saves, not those alone that save most."""
    monkeypatch.setattr(savings, "SHOWN", 100)


def copies(project: SmallProject, resources: str = "vcpus = 2") -> list[str | Path]:
    """Return the arguments of a plan for a pipeline of one step with known rates: 100 s, 100 MiB, 1 GB."""
    project.step("copy", COPY, f"{COPY_DECLARATIONS}[resources]\n{resources}\n")
    stage = stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"})
    pipeline = project.pipeline(stage, settings="tolerated_failure_percentage = 100\nmax_concurrency = 10")
    (project.folder / "rates.toml").write_text(RATES)
    (project.folder / "panel").write_text("")
    options: list[str | Path] = ["--pipeline", pipeline, "--calibration", project.folder / "rates.toml"]
    sizes = ["--samples", "40", "--gigabytes", "1", "--rate", "host_lost=0"]
    return [*sizes, *options, "--param", f"copying.panel={project.folder / 'panel'}"]


def own_pipeline(folder: Path, old: str, new: str) -> Path:
    """Write a copy of the shipped germline pipeline in which a text is another."""
    text = (shipped_folder("pipelines") / "germline.toml").read_text()
    assert old in text
    file = folder / "own.toml"
    file.write_text(text.replace(old, new).replace('name = "germline"', 'name = "own"'))
    return file


def by_name(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in found["savings"]}


def test_at_most_three_are_shown_largest_first_and_explained(cli: Cli, plan: Callable[..., dict[str, Any]]) -> None:
    found = plan(*COHORT)
    dollars = [one["dollars"] for one in found["savings"]]
    assert len(dollars) == 3
    assert dollars == sorted(dollars, reverse=True)
    assert all(one["dollars"] == pytest.approx(sum(one["by_line"].values()), abs=0.1) for one in found["savings"])
    screen = cli("plan", *COHORT).out
    for one in found["savings"]:
        assert f"  {one['name']:<30}{-one['dollars']:>+14,.2f}  {one['change']}: {one['why']}\n" in screen
    explained = cli("plan", *COHORT, "--explain", found["savings"][0]["name"]).out
    assert all(line in explained for line in found["savings"][0]["by_line"])


def test_a_change_saves_what_a_plan_with_it_costs_less(
    every: None, plan: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    def expected(*arguments: str | Path) -> float:
        dollars: float = plan(*COHORT, *arguments)["what_if"]["as_planned"]
        return dollars

    as_bam = ("--param", "alignment.format=bam")
    found, of_bam = by_name(plan(*COHORT)), by_name(plan(*COHORT, *as_bam))
    now = expected()
    wider = own_pipeline(tmp_path, "interval_size_bp = 5_000_000", "interval_size_bp = 10_000_000")
    assert found["arm64"]["dollars"] == pytest.approx(now - expected("--architecture", "arm64"), rel=1e-3)
    single = now - expected("--pipeline", "germline-single")
    assert found["germline-single"]["dollars"] == pytest.approx(single, rel=0.01)
    # Fewer jobs over intervals are also throttled less often, which only the simulation of the other plan knows.
    assert 0 < found["wider_intervals"]["dollars"] <= now - expected("--pipeline", wider)
    assert found["wider_intervals"]["change"].startswith("interval_size_bp = 10_000_000 ")
    assert of_bam["cram"]["dollars"] == pytest.approx(expected(*as_bam) - now, rel=1e-3)
    assert of_bam["cram"]["change"] == "--param alignment.format=cram"
    assert "cram" not in found


def test_intermediate_outputs_that_expire_earlier(every: None, plan: Callable[..., dict[str, Any]]) -> None:
    found = plan(*COHORT)
    (aggregation,) = (one for one in found["timeline"] if one["stage"] == "aggregation")
    dollars = aggregation["output_bytes"] / 2**30 * 0.023 * (30 - 7) / 30
    assert by_name(found)["intermediate_days"]["dollars"] == pytest.approx(dollars, abs=1e-3)


def test_results_in_another_storage_class(project: SmallProject, plan: Callable[..., dict[str, Any]]) -> None:
    found = by_name(plan(*copies(project)))["glacier_ir"]
    assert found["dollars"] == pytest.approx(40 * 29 / 30 * (0.023 - 0.004) - 40 * 0.02 / 1000, abs=1e-4)
    assert "ResultsStorageClass=GLACIER_IR" in found["change"]


def test_more_spot_hosts_in_place_of_on_demand_hosts(
    every: None, project: SmallProject, plan: Callable[..., dict[str, Any]]
) -> None:
    arguments = copies(project)
    scarce, ample = (plan(*arguments, *more) for more in (["--max-vcpus", "16"], ["--max-vcpus", "32"]))
    found = by_name(scarce)["ample_spot"]
    assert "MaxVcpus=32" in found["change"]
    assert "ample_spot" not in by_name(ample)
    assert found["dollars"] == pytest.approx(scarce["dollars"]["total"] - ample["dollars"]["total"], abs=1e-3)


def test_memory_that_is_learned(every: None, project: SmallProject, plan: Callable[..., dict[str, Any]]) -> None:
    """Of 100 MiB, and 128 of the worker, jobs of 16 GiB on 1 vCPU waste most of a host's memory."""
    found = by_name(plan(*copies(project, "vcpus = 1\nmemory_mib = [16384]")))["learned_memory"]
    (project.folder / "copy" / "step.toml").unlink()
    wasted, needed = (
        plan(*copies(project, f"vcpus = 1\nmemory_mib = [{mib}]"))["dollars"]["by_line"]["compute: copying"]
        for mib in (16384, 240)
    )
    assert found["by_line"]["compute: copying"] == pytest.approx(wasted - needed, abs=2e-4)
    assert "submit --history" in found["change"]


def test_what_does_not_save_is_not_shown(cli: Cli, plan: Callable[..., dict[str, Any]]) -> None:
    tiny = ["--samples", "1", "--gigabytes", "0.0001", "--pipeline", "germline-single", "--architecture", "arm64"]
    assert plan(*tiny)["savings"] == []
    assert "would save most" in (screen := cli("plan", *tiny).out)
    assert "none of the changes that are priced saves $0.01: docs/plan.md" in screen


def test_parameters_that_arm64_cannot_do_keep_its_hosts_out(
    cli: Cli, every: None, plan: Callable[..., dict[str, Any]]
) -> None:
    trimmed = (*COHORT, "--param", "alignment.quality_cutoff=20")
    assert "arm64" not in by_name(plan(*trimmed))
    ended = cli("plan", *trimmed, "--architecture", "arm64")
    assert (ended.code, ended.out) == (1, "")
    assert "alignment.quality_cutoff: expected hosts of x86_64, found arm64" in ended.err


def test_runs_over_records(cli: Cli, plan: Callable[..., dict[str, Any]]) -> None:
    records = ("--records", "10000000", "--pipeline", "transactions")
    found = plan(*records)
    arm64 = plan(*records, "--architecture", "arm64")
    assert by_name(found)["arm64"]["dollars"] == pytest.approx(found["dollars"] - arm64["dollars"], abs=1e-4)
    assert "arm64" not in by_name(arm64)
    batches = by_name(found)["larger_batches"]
    assert "items_per_batch = 1200 " in batches["change"]
    fewer = found["children"] - -(-found["records"] // 1200)
    assert batches["dollars"] == pytest.approx(fewer * (0.000025 + 0.000001 + 0.0000002), abs=1e-3)
    assert "transitions: $-" in cli("plan", *records, "--explain", "larger_batches").out


def test_a_run_here_has_none(plan: Callable[..., dict[str, Any]]) -> None:
    assert "savings" not in plan(*COHORT[:4], "--here", "--cpus", "64", "--memory", "256GiB")
