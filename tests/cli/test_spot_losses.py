"""Hosts that Spot reclaims while their jobs end with 143, as the whole of a run sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model.batch_retry import STACK_RETRY_STRATEGY
from tests.cli.conftest import Ended
from tests.fakes.batch_job import AnyDefinition
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import by_item, with_spot_losses

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
SAMPLES = [f"s{number:02}" for number in range(20)]
ON_DEMAND = "genomics-pipeline-on-demand"


def test_a_lost_host_costs_an_attempt_and_never_a_sample_that_another_host_can_run(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    attempts: list[tuple[str, str, int]] = []

    def is_lost(item: str, job: Job) -> bool:
        attempts.append((item, job.queue, job.attempt))
        match item:
            case "s00":
                return job.queue != ON_DEMAND  # no Spot host keeps it
            case "s01":
                return True
        return item in SAMPLES and (int(item[1:]) + job.attempt) % 20 == 3  # 5 % of the attempts

    step_functions.batch.definitions = AnyDefinition(STACK_RETRY_STRATEGY)
    step_functions.batch.run_job = with_spot_losses(by_item(lambda stage, item: JobEnd(0)), is_lost)
    sheet = stack.sheet(tmp_path / "cohort.csv", *SAMPLES)
    submitted = cli("submit", sheet, "--reference", reference, "--tolerate", "1", "--json")
    assert submitted.code == 0, submitted.err
    run = json.loads(submitted.out)["run"]
    step_functions.execution(run).wait()
    status: dict[str, Any] = json.loads(cli("status", run, "--json").out)
    assert (status["status"], status["map_runs"][0]["succeeded"], status["map_runs"][0]["failed"]) == (
        "SUCCEEDED",
        19,
        1,
    )
    (failure,) = status["failures"]["items"]
    assert (failure["item"], failure["class"], failure["exit_code"]) == ("s01", "host_lost", 143)
    spot = [(number, queue != ON_DEMAND) for item, queue, number in attempts if item == "s01"]
    assert spot == [(number, is_spot) for is_spot in (True, False) for number in range(1, 6)]
    assert [number for item, _, number in attempts if item == "s02"] == [1, 2, 1, 2]  # in two stages
