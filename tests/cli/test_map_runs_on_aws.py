"""A run on AWS whose samples two Map Runs divide among them: every command sees one run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.model.task import TaskPayload
from genomics_pipeline.planning.run_cost import SpendingAccount, SpentLine
from genomics_pipeline.runs.aws import cancel
from genomics_pipeline.runs.aws.backend import AwsBackend
from genomics_pipeline.runs.catalog import shipped_folder
from genomics_pipeline.runs.find_run import find_run
from genomics_pipeline.runs.status import watch
from tests.cli.conftest import Ended
from tests.cli.test_budget import HeldAlignments
from tests.cli.test_redrive import Jobs
from tests.fakes.deployed import Deployed, deployed
from tests.fakes.event_bridge import RunReports, status_change
from tests.fakes.jobs import by_item, payload_of

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


def submit(cli: Cli, stack: Deployed, folder: Path, reference: str, pipeline: str, *options: str) -> str:
    """Submit a run of five samples, of which A, C and E are in the first part, and return its name."""
    sheet = stack.sheet(folder / "cohort.csv", *"ABCDE")
    ended = cli("submit", sheet, "--reference", reference, "--pipeline", pipeline, "--json", *options)
    return str(json_of(ended)["run"])


def test_a_run_that_was_cancelled_in_both_map_runs_is_redriven(
    monkeypatch: pytest.MonkeyPatch,
    step_functions: FakeAws,
    stack: Deployed,
    reference: str,
    pipeline: str,
    tmp_path: Path,
    cli: Cli,
) -> None:
    monkeypatch.setattr(cancel, "PAUSE_S", 0)
    jobs = step_functions.batch.run_job = Jobs()
    jobs.waiting = {"C", "D"}
    run = submit(cli, stack, tmp_path, reference, pipeline)
    execution = step_functions.execution(run)
    execution.wait(lambda one: [child.status for child in one.children.values()].count("SUCCEEDED") == 3)
    assert cli("cancel", run, "--yes").code == 0
    execution.wait()
    before = list(execution.map_runs)
    assert not step_functions.batch.running()
    state = json.loads(cli("status", run, "--json").out)
    sample = state["map_runs"][0]
    assert [sample[name] for name in ("status", "total", "succeeded")] == ["ABORTED", 5, 3]
    assert [part["status"] for part in sample["parts"]] == ["ABORTED", "ABORTED"]
    assert sorted(state["missing"]["first"]) == ["C", "D"]

    jobs.waiting, jobs.ran = set(), []
    assert json_of(cli("redrive", run, "--json"))["redriven"]
    execution.wait()
    assert execution.map_runs[:2] == before
    assert sorted(jobs.ran)[:3] == [("aggregation", ""), ("alignment", "C"), ("alignment", "D")]
    state = json_of(cli("status", run, "--json"))
    assert [state["map_runs"][0][name] for name in ("status", "succeeded", "failed")] == ["SUCCEEDED", 5, 0]
    submitted = [payload_of(one.job) for one in step_functions.batch.jobs.values()]
    (gathering,) = (one for one in submitted if one.stage == "aggregation")
    assert sorted(_map_runs_of(gathering)) == sorted(arn.rpartition(":")[2] for arn in before)


def _map_runs_of(gathering: TaskPayload) -> list[str]:
    """Return the ids of the Map Runs from whose results a stage gathers."""
    return [
        details["Key"].partition("/Sample/")[2].partition("/")[0] for details in gathering.upstream["variant_calling"]
    ]


def test_beyond_the_budget_both_map_runs_begin_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
    step_functions: FakeAws,
    stack: Deployed,
    reference: str,
    pipeline: str,
    tmp_path: Path,
    cli: Cli,
) -> None:
    monkeypatch.setattr(cancel, "PAUSE_S", 0)
    held = step_functions.batch.run_job = HeldAlignments()
    run = submit(cli, stack, tmp_path, reference, pipeline, "--max-concurrency", "1")
    step_functions.batch.wait(lambda batch: len(batch.running()) == 2)  # A and B
    backend, notes = find_run(run, "genomics-pipeline", adapters()), list[str]()
    assert isinstance(backend, AwsBackend)

    def wait(_: float) -> None:
        """Let A and B end, which had begun; the next ones wait."""
        if held.released["A"].is_set():
            return
        for name in "AB":
            held.released[name].set()
        step_functions.batch.wait(lambda batch: {job.job.name[-1] for job in batch.running()} == {"C", "D"})

    *_, last = watch(backend, wait, backend.budget_guard(0, None, notes.append))
    step_functions.execution(run).wait()
    updates = step_functions.states.calls.of("UpdateMapRun")
    assert sorted(one["mapRunArn"] for one in updates) == sorted(step_functions.execution(run).map_runs)
    assert {one["maxConcurrency"] for one in updates} == {1}
    assert notes[1:] == [
        "Sample: MaxConcurrency is 1 now; 1 items that began go on",
        "Sample: MaxConcurrency is 1 now; 1 items that began go on",
        "what had begun has ended; the run is cancelled, and what is done is kept",
        "stopping the execution",
    ]
    assert (last.status, last.missing and last.missing.by_scope["sample"]) == ("ABORTED", 3)
    step_functions.batch.run_job = by_item(lambda stage, item: JobEnd(0))
    assert json_of(cli("rerun", run, "--json"))["samples"] == 3
    step_functions.execution(f"{run}-r1").wait()
    assert json_of(cli("status", run, "--json"))["map_runs"][0]["succeeded"] == 5
