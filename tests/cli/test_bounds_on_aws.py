"""Bounds of metrics of a run on AWS: `submit --bound` keeps them with the run, and `status` shows the verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.engine.tasks.job import JobEnd
from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import by_item, output_key

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
DEPTHS = {"a": 25.0, "b": 4.0}
METRICS = "results/reports/depth."


@pytest.fixture
def submit(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> Callable[..., str]:
    """Return a function that submits the cohort with further options, and returns the name of the run."""
    sheet = stack.sheet(tmp_path / "cohort.csv", *DEPTHS)

    def call(*options: str | Path) -> str:
        ended = cli("submit", sheet, "--reference", reference, "--json", *options)
        assert ended.code == 0, ended.err
        return str(json.loads(ended.out)["run"])

    return call


def give_metrics(stack: Deployed, run: str) -> None:
    """Add metrics to the outputs of the alignments of a run that has ended."""
    for sample, depth in DEPTHS.items():
        key, text = f"{METRICS}{sample}.json", json.dumps({"mean_depth": depth})
        stack.put(f"runs/{run}/{key}", text)
        record = stack.read(f"runs/{run}/steps/alignment/{sample}/step.json")
        output = next(iter(record["outputs"].values()))
        digest = sha256(text.encode()).hexdigest()
        record["outputs"]["metrics"] = {**output, "key": key, "size_bytes": len(text), "sha256": digest}
        stack.put(f"runs/{run}/steps/alignment/{sample}/step.json", json.dumps(record))


def verdicts(cli: Cli, run: str) -> dict[str, Any]:
    outcomes = json.loads(cli("status", run, "--json").out)["outcomes"]
    return {one["sample"]: one["verdicts"]["alignment"]["mean_depth"] for one in outcomes["samples"]}


def test_status_shows_the_verdicts_of_the_runs_bounds(
    submit: Callable[..., str], stack: Deployed, step_functions: FakeAws, tmp_path: Path, cli: Cli
) -> None:
    step_functions.batch.run_job = by_item(lambda stage, item: JobEnd(0))
    run = submit()
    step_functions.execution(run).wait()
    give_metrics(stack, run)
    assert verdicts(cli, run) == {"a": "good", "b": "bad"}
    lines = [line.split() for line in cli("status", run).out.splitlines()]
    assert [line[:4] for line in lines if line and line[0] in DEPTHS] == [
        ["a", "done", "25.0", "–"],
        ["b", "done", "4.0", "bad"],
    ]

    file = tmp_path / "bounds.toml"
    file.write_text("[alignment.metrics.mean_depth]\ngood = { min = 4 }\nbad = { below = 3 }\n")
    digest = stack.read(f"runs/{run}/run.json")["digest"]
    assert submit("--params-file", file) == run, "nothing that is computed depends on bounds"
    assert verdicts(cli, run) == {"a": "good", "b": "good"}
    assert submit("--params-file", file, "--bound", "alignment.mean_depth.good.min=30") == run
    assert verdicts(cli, run) == {"a": "warn", "b": "warn"}
    record = stack.read(f"runs/{run}/run.json")
    assert record["digest"] == digest
    assert record["metrics"]["sample"]["alignment"]["mean_depth"]["bad"] == {"below": 3}

    stack.s3.delete_object(Bucket=stack.bucket, Key=f"runs/{run}/{output_key('variant_calling', 'b')}")
    rerun = cli("rerun", run)
    assert rerun.code == 0, rerun.err
    step_functions.execution(f"{run}-r1").wait()
    give_metrics(stack, run)
    assert verdicts(cli, run) == {"a": "warn", "b": "warn"}, "a rerun keeps them"


def test_a_dry_run_changes_no_bounds(
    submit: Callable[..., str], stack: Deployed, step_functions: FakeAws, cli: Cli
) -> None:
    run = submit()
    step_functions.execution(run).wait()
    before = stack.read(f"runs/{run}/run.json")
    assert submit("--dry-run", "--bound", "alignment.mean_depth.good.min=11") == run
    assert stack.read(f"runs/{run}/run.json") == before


@pytest.mark.usefixtures("step_functions")
def test_bounds_that_cannot_be_used_are_refused(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "a")
    bounds = ("--bound", "alignment.mean_dept.good.min=5", "--bound", "alignment.mean_depth.good.min=5")
    ended = cli("submit", sheet, "--reference", reference, *bounds)
    assert ended.code == 2
    assert [line for line in ended.err.splitlines() if line.startswith("error: ")] == [
        "error: --bound alignment.mean_dept.good.min=5: unknown metric 'mean_dept' of step alignment; did you mean "
        "'mean_depth'?",
        "error: --bound alignment.mean_depth: expected bad.below <= good.min <= good.max <= bad.above, found bad.below "
        "= 10 and good.min = 5",
    ]
    assert stack.keys("runs/") == []
