"""Samples with many lanes, alone and in batches: more than a job's container overrides hold, here and on AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.asl.payload_budget import PayloadBudget
from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed, deployed
from tests.fakes.jobs import by_item
from tests.small_project import READS, SmallProject, stage_toml

if TYPE_CHECKING:
    from genomics_pipeline.engine.tasks.job import JobEnd
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
COUNT = """
import json, sys
task = json.load(open(sys.argv[1]))
json.dump(len(task["inputs"]["reads"]), open(task["outputs"]["count"], "w"))
"""
DECLARED = '[inputs.reads]\ntype = "reads"\n[outputs.count]\npath = "{sample}.count"\n'
LANES = {"big": 40, "small": 1, "wide": 45}
BATCHES = ["", "items_per_batch = 3\n"]


@pytest.fixture(params=BATCHES, ids=["single", "batches"])
def small(request: pytest.FixtureRequest, project: SmallProject) -> SmallProject:
    project.step("count", COUNT, DECLARED)
    settings = f"{request.param}tolerated_failure_percentage = 100"
    project.pipeline(stage_toml("counting", "./count", "counts", {"reads": "sample.reads"}), settings=settings)
    return project


def sheet(folder: Path, uri: Callable[[str], str], **lanes: int) -> Path:
    rows = [f"{sample},L{lane},{uri(f'{sample}-{lane}')}" for sample, number in lanes.items() for lane in range(number)]
    file = folder / "sheet.csv"
    file.write_text("sample,lane,fastq_1\n" + "\n".join(rows) + "\n")
    return file


def pointed(manifest: str) -> dict[str, bool]:
    return {row["sample"]: "uri" in row for row in map(json.loads, manifest.splitlines())}


@pytest.fixture
def here(small: SmallProject, cli: Cli) -> Callable[..., dict[str, Any]]:
    """Return `here(*options, **lanes)`, which runs samples with these lanes in the project's folder."""
    folder = small.folder / ("long-folder-of-many-reads-" * 5)
    folder.mkdir()

    def uri(name: str) -> str:
        file = folder / f"{name}.fastq"
        if not file.exists():  # a file with another time is another input
            file.write_text(READS)
        return str(file)

    def call(*options: str, **lanes: int) -> dict[str, Any]:
        sheet(small.folder, uri, **lanes)
        ended = cli(*small.arguments("--json", *options))
        assert ended.code == 0, ended.err
        summary: dict[str, Any] = json.loads(ended.out)
        return summary

    return call


def counts(run: Path) -> dict[str, int]:
    return {path.stem: json.loads(path.read_text()) for path in run.glob("results/counts/*.count")}


def test_a_run_here_has_pointers_where_a_job_would_be_too_large(
    here: Callable[..., dict[str, Any]], small: SmallProject
) -> None:
    assert here(**LANES)["steps"] == {"run": 3, "reused": 0}
    assert pointed((small.run / "manifest.jsonl").read_text()) == {"big": True, "small": False, "wide": True}
    assert counts(small.run) == LANES
    digest = json.loads((small.run / "run.json").read_text())["digest"]
    assert here(**LANES)["steps"] == {"run": 0, "reused": 3}
    assert json.loads((small.run / "run.json").read_text())["digest"] == digest
    assert here(**{**LANES, "big": 39})["steps"] == {"run": 1, "reused": 2}
    assert json.loads((small.run / "run.json").read_text())["digest"] != digest  # although the manifest is the same
    assert here(**{**LANES, "big": 1, "wide": 1})["steps"] == {"run": 2, "reused": 1}
    assert not (small.run / "items").exists()


def test_a_rerun_here_reads_the_same_items(here: Callable[..., dict[str, Any]], small: SmallProject, cli: Cli) -> None:
    (small.folder / "count" / "count.py").write_text("import sys; sys.exit(7)")
    assert {row["state"] for row in here("--tolerate", "100%", **LANES)["samples"]} == {"FAILED"}
    (small.folder / "count" / "count.py").write_text(COUNT)
    ended = cli("rerun", small.run)
    assert ended.code == 0, ended.err
    assert pointed((small.run / "reruns/1/manifest.jsonl").read_text()) == {"big": True, "small": False, "wide": True}
    assert counts(small.run) == LANES


@pytest.fixture
def on_aws(small: SmallProject, step_functions: FakeAws, aws: str) -> Iterator[Deployed]:
    with deployed(aws, [str(small.folder / "pipeline.toml")]) as made:
        yield made


@pytest.fixture
def submitted(on_aws: Deployed, small: SmallProject, step_functions: FakeAws, cli: Cli) -> Callable[[], dict[str, Any]]:
    """Return a function that runs the samples on the fakes to the end and returns the status of the run."""

    def ended(stage: str, item: str) -> JobEnd:
        from genomics_pipeline.engine.tasks.job import JobEnd

        return JobEnd(0)

    def call() -> dict[str, Any]:
        step_functions.batch.run_job = by_item(ended)
        rows = sheet(small.folder, lambda name: on_aws.put(f"reads/{'x' * 150}/{name}.fastq", READS), **LANES)
        options = ("--reference", small.folder / "reference.fa", "--pipeline", small.folder / "pipeline.toml")
        run = cli("submit", rows, *options, "--json")
        assert run.code == 0, run.err
        name = json.loads(run.out)["run"]
        step_functions.execution(name).wait()
        status: dict[str, Any] = json.loads(cli("status", name, "--json").out)
        return status

    return call


def test_a_run_on_aws_has_them_too(submitted: Callable[[], dict[str, Any]], step_functions: FakeAws) -> None:
    status = submitted()
    assert (status["status"], status["failures"]["items"]) == ("SUCCEEDED", [])
    assert status["map_runs"][0]["succeeded"] == 3


def test_without_pointers_the_jobs_of_these_samples_fail_on_aws(
    submitted: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PayloadBudget, "holds", lambda budget, item: True)
    status = submitted()
    failures = {(one["class"], one["message"]) for one in status["failures"]["items"]}
    assert failures == {("aws_limit", "Container Overrides length must be at most 8192")}
    assert "big" in {one["item"] for one in status["failures"]["items"]}
