"""A stage over the results of all records on AWS: submission, results and reruns, with Step Functions as a fake."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.language.errors import StatesError
from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed, deployed_with_functions

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

PIPELINE = str(Path(__file__).parents[1] / "golden/gathered.toml")
Cli = Callable[..., Ended]


@pytest.fixture
def stack(step_functions: FakeAws, aws: str) -> Iterator[Deployed]:
    with deployed_with_functions(aws, PIPELINE, step_functions) as made:
        yield made


@pytest.fixture
def records(stack: Deployed) -> str:
    """Put records into two folders, each of which a Map Run reads, and return their prefix."""
    stack.put("in/a/day.csv", "amount\n3\n5\n4\n")
    return stack.put("in/b/day.csv", "amount\n8\n2\n6\n7\n").removesuffix("b/day.csv")


def run_of(cli: Cli, step_functions: FakeAws, *argv: str) -> Any:
    """Start an execution, wait for its end, and return what the command printed."""
    ended = cli(*argv, "--json")
    assert ended.code == 0, ended.err
    printed = json.loads(ended.out)
    step_functions.execution(printed.get("execution") or printed["run"]).wait()
    return printed


def scores(cli: Cli, run: str, folder: Path) -> list[float]:
    """Return the scores in the file that was gathered."""
    assert cli("results", run, "--download", folder).code == 0
    return [float(line) for line in (folder / "scores/scores.txt").read_text().split()]


def test_results_of_several_map_runs_are_gathered(
    stack: Deployed, step_functions: FakeAws, records: str, cli: Cli, tmp_path: Path
) -> None:
    run = run_of(cli, step_functions, "submit", records, "--pipeline", PIPELINE)["run"]
    assert json.loads(cli("status", run, "--json").out)["status"] == "SUCCEEDED"
    assert scores(cli, run, tmp_path) == [7, 6, 5, 4, 3]
    assert json.loads((tmp_path / "join.jsonl").read_text()) == {"scores": 7}
    assert f"s3://{stack.bucket}/runs/{run}/results/scores/scores.txt" in cli("results", run).out
    assert json.loads(cli("rerun", run, "--json").out)["status"] == "NOTHING"


def test_a_rerun_gathers_the_results_of_all_executions(
    stack: Deployed, step_functions: FakeAws, records: str, cli: Cli, tmp_path: Path
) -> None:
    def refuse(payload: Mapping[str, Any]) -> None:
        if any(item["amount"] == "5" for item in payload.get("items", ())):
            raise StatesError("Sandbox.Timedout", "timed out after 30.00 seconds")

    step_functions.functions.before = refuse
    run = run_of(cli, step_functions, "submit", records, "--pipeline", PIPELINE)["run"]
    status = json.loads(cli("status", run, "--json").out)
    assert (status["status"], status["missing"]["records"]) == ("FAILED", 2)
    assert "found that 2 records have none" in status["error"]
    step_functions.functions.before = lambda payload: None
    run_of(cli, step_functions, "rerun", run)
    assert json.loads(cli("status", run, "--json").out)["status"] == "SUCCEEDED"
    assert scores(cli, run, tmp_path) == [7, 6, 5, 4, 3]


def test_a_stage_that_failed_alone_runs_again_alone(
    stack: Deployed, step_functions: FakeAws, records: str, cli: Cli, tmp_path: Path
) -> None:
    seen: list[str] = []

    def refuse(payload: Mapping[str, Any]) -> None:
        seen.append(payload["stage"])
        if payload["stage"] == "join" and seen.count("join") == 1:
            raise StatesError("Runtime.OutOfMemory", "signal: killed")

    step_functions.functions.before = refuse
    run = run_of(cli, step_functions, "submit", records, "--pipeline", PIPELINE)["run"]
    status = json.loads(cli("status", run, "--json").out)
    assert (status["status"], status.get("missing")) == ("FAILED", None)
    seen[:] = ["join"]
    planned = cli("rerun", run, "--dry-run")
    assert "would run only the stage that gathers" in planned.out, planned.err
    run_of(cli, step_functions, "rerun", run)
    assert seen == ["join", "join"]
    assert json.loads(cli("status", run, "--json").out)["status"] == "SUCCEEDED"
    assert scores(cli, run, tmp_path) == [7, 6, 5, 4, 3]
