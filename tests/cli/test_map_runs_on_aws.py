"""A run on AWS whose samples two Map Runs divide among them: every command sees one run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.planning.run_cost import SpendingAccount, SpentLine
from genomics_pipeline.runs.catalog import shipped_folder
from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed, deployed
from tests.fakes.event_bridge import RunReports, status_change
from tests.fakes.jobs import by_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]


@pytest.fixture
def pipeline(tmp_path: Path) -> str:
    """Return a copy of `germline` with two Map Runs over samples."""
    text = (shipped_folder("pipelines") / "germline.toml").read_text()
    file = tmp_path / "two.toml"
    file.write_text(text.replace("[maps.sample]", "[maps.sample]\nmap_runs = 2"))
    return str(file)


@pytest.fixture
def stack(pipeline: str, step_functions: FakeAws, aws: str) -> Iterator[Deployed]:
    with deployed(aws, (pipeline,)) as made:
        yield made
        for execution in step_functions.states.executions.values():
            execution.wait()


def json_of(ended: Ended) -> Any:
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def test_two_map_runs_are_one_run(
    monkeypatch: pytest.MonkeyPatch,
    step_functions: FakeAws,
    stack: Deployed,
    reference: str,
    pipeline: str,
    tmp_path: Path,
    cli: Cli,
) -> None:
    ends = {"b": JobEnd(65, "no FASTQ"), "c": JobEnd(137, "OutOfMemoryError: Container killed due to memory usage")}
    step_functions.batch.run_job = by_item(lambda stage, item: ends.get(item, JobEnd(0)))
    sheet = stack.sheet(tmp_path / "cohort.csv", "a", "b", "c", "d", "e")
    submitted = json_of(cli("submit", sheet, "--reference", reference, "--pipeline", pipeline, "--json"))
    run = str(submitted["run"])
    execution = step_functions.execution(run)
    execution.wait()
    assert execution.status == "SUCCEEDED"
    manifests = [key for key in stack.keys(f"runs/{run}/") if key.endswith("manifest.jsonl")]
    assert manifests == [f"runs/{run}/{part}manifest.jsonl" for part in ("", "parts/1/", "parts/2/")]

    status = json.loads(cli("status", run, "--json").out)
    sample = status["map_runs"][0]
    assert [sample[name] for name in ("label", "status", "total", "succeeded", "failed", "arn")] == [
        "Sample",
        "SUCCEEDED",
        5,
        3,
        2,
        None,
    ]
    assert sorted(part["total"] for part in sample["parts"]) == [2, 3]
    assert len({part["arn"] for part in sample["parts"]}) == 2
    assert {one["item"] for one in status["failures"]["items"]} == {"b", "c"}
    reports = RunReports(tmp_path / "reports")
    reports.run(status_change(execution))
    assert "3 of 5 samples succeeded, 2 failed" in reports.published.pop()["Message"].splitlines()

    step_functions.batch.run_job = by_item(lambda stage, item: JobEnd(0))
    again = json_of(cli("rerun", run, "--json"))
    assert (again["samples"], sorted(again["first"])) == (2, ["b", "c"])
    step_functions.execution(f"{run}-r1").wait()
    sample = json_of(cli("status", run, "--json"))["map_runs"][0]
    assert [sample[name] for name in ("total", "succeeded", "failed")] == [5, 5, 0]
    seen: list[int | None] = []

    def lines(_: SpendingAccount, transitions: int | None) -> list[SpentLine]:
        seen.append(transitions)
        return []

    monkeypatch.setattr(SpendingAccount, "lines", lines)  # the fake's jobs have no hosts, so that they cost nothing
    assert cli("cost", run, "--json").code == 0
    # Of each execution: Sample, Interval and gather, without Choices; and a Map Run for each part.
    assert seen == [2 * 3 + (2 + 1) + 7 * (1 + 2) + 2 * (1 + 1)]
