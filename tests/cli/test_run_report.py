"""The message about the end of a run, from `submit` to the topic of the alarms."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genomics_pipeline.engine.tasks.job import JobEnd
from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed
from tests.fakes.event_bridge import TOPIC, RunReports, status_change
from tests.fakes.jobs import by_item

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
SAMPLES = [f"s{number}" for number in range(8)]
CONSOLE = "https://console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/"


@pytest.fixture
def submit(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> Callable[..., str]:
    """Return a function that submits a run of eight samples and returns its name."""

    def call(*options: str) -> str:
        sheet = stack.sheet(tmp_path / "cohort.csv", *SAMPLES)
        ended = cli("submit", sheet, "--reference", reference, "--json", *options)
        assert ended.code == 0, ended.err
        return str(json.loads(ended.out)["run"])

    return call


@pytest.fixture
def message(step_functions: FakeAws, tmp_path: Path) -> Callable[[str], tuple[str, list[str]]]:
    """Return a function that waits for an execution and returns the subject and the lines of its report."""
    reports = RunReports(tmp_path / "reports")

    def call(name: str) -> tuple[str, list[str]]:
        execution = step_functions.execution(name)
        execution.wait()
        assert reports.run(status_change(execution)).status == "SUCCEEDED"
        published = reports.published.pop()
        assert published["TopicArn"] == TOPIC
        lines = published["Message"].splitlines()
        assert lines[-1] == f"Console: {CONSOLE}{execution.arn}"
        return published["Subject"], lines[:-1]

    return call


def ends(*failed: str) -> Callable[[str, str], JobEnd]:
    """Return a function that lets the jobs of some samples or stages fail."""
    return lambda stage, item: JobEnd(1 if item in failed or stage in failed else 0)


def test_a_run_with_a_failed_sample_and_its_rerun(
    submit: Callable[..., str], message: Callable[[str], tuple[str, list[str]]], step_functions: FakeAws, cli: Cli
) -> None:
    step_functions.batch.run_job = by_item(ends("s3"))
    run = submit("--tolerate", "1")
    subject, (head, *lines) = message(run)
    assert subject == f"Run {run}: SUCCEEDED, 7 of 8 samples succeeded, 1 failed"
    assert head.startswith(f"Run {run}: SUCCEEDED at 2")
    status = f"Samples, failures and next commands: genomics-pipeline status {run} --stack genomics-pipeline"
    assert lines == ["7 of 8 samples succeeded, 1 failed", "1 of 1 intervals succeeded", status]

    step_functions.batch.run_job = by_item(ends())
    assert cli("rerun", run, "--json").code == 0
    subject, lines = message(f"{run}-r1")
    assert subject == f"Run {run}: SUCCEEDED, 1 of 1 samples succeeded"
    assert lines[-2:] == [f"This was a rerun, {run}-r1: only what it ran is counted.", status]


def test_a_run_with_too_many_failures(
    submit: Callable[..., str], message: Callable[[str], tuple[str, list[str]]], step_functions: FakeAws
) -> None:
    step_functions.batch.run_job = by_item(ends(*SAMPLES))
    subject, (_, reason, samples, _) = message(submit("--max-concurrency", "1"))
    assert subject.endswith(f": FAILED, {samples}")
    assert samples == "0 of 8 samples succeeded, 5 failed, 3 not run"  # more than half
    assert reason == ("States.ExceedToleratedFailureThreshold: The specified tolerated failure threshold was exceeded")


def test_a_run_whose_last_stage_failed(
    submit: Callable[..., str], message: Callable[[str], tuple[str, list[str]]], step_functions: FakeAws
) -> None:
    step_functions.batch.run_job = by_item(ends("gather"))
    subject, (_, reason, *counts) = message(submit())
    assert subject.endswith(": FAILED, 8 of 8 samples succeeded")
    assert reason == "The stage gather failed: tool_error"
    assert counts[:2] == ["8 of 8 samples succeeded", "1 of 1 intervals succeeded"]
