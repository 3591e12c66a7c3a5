"""`genomics-pipeline redrive`: runs that continue where they failed, and refusals with reason and advice.

What AWS redrives: botocore's model of RedriveExecution and of ``redriveStatusReason``; texts of the first two reasons
and of the error: radkawar/stackd testdata/aws/stepfunctions/redrive_execution.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model import quotas
from genomics_pipeline.model.task import item_id
from genomics_pipeline.runs.aws import cancel
from genomics_pipeline.runs.run_folder import RunFolder
from tests.fakes.batch import Log
from tests.fakes.faults import ApiError
from tests.fakes.jobs import finish, payload_of
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from tests.cli.conftest import Ended
    from tests.fakes.aws import FakeAws
    from tests.fakes.deployed import Deployed

Cli = Callable[..., "Ended"]
DAY_S = 86_400


class Jobs:
    """Jobs that succeed, except those of broken stages or samples, and those that wait until they are cancelled."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.waiting: set[str] = set()
        self.ran: list[tuple[str, str]] = []

    def __call__(self, job: Job, log: Log) -> JobEnd:
        payload = payload_of(job)
        item = payload.items[0]
        names = {payload.stage, str(item.get("sample"))}
        self.ran.append((payload.stage, item.get("sample", "")))
        if names & self.waiting:
            job.cancelled.wait(PATIENCE_S)
            return JobEnd(143)
        if names & self.broken:
            return JobEnd(1, "bad reads")
        finish(payload, item_id(item))
        return JobEnd(0)


@pytest.fixture
def jobs(step_functions: FakeAws) -> Jobs:
    step_functions.batch.run_job = made = Jobs()
    return made


@pytest.fixture
def submit_run(
    stack: Deployed, reference: str, tmp_path: Path, cli: Cli, step_functions: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Return `submit_run(*samples)`, which submits a run, waits for its end and returns its name."""
    monkeypatch.setattr(cancel, "PAUSE_S", 0)

    def call(*samples: str, wait: bool = True) -> str:
        ended = cli("submit", stack.sheet(tmp_path / "cohort.csv", *samples), "--reference", reference, "--json")
        assert ended.code == 0, ended.err
        run = str(json.loads(ended.out)["run"])
        if wait:
            step_functions.execution(run).wait()
        return run

    return call


@pytest.fixture
def cancelled_run(submit_run: Callable[..., str], jobs: Jobs, step_functions: FakeAws, cli: Cli) -> str:
    """Return a run over A, B and C, cancelled after A had succeeded; every job succeeds from now on."""
    jobs.waiting = {"B", "C"}
    run = submit_run("A", "B", "C", wait=False)
    execution = step_functions.execution(run)
    execution.wait(lambda one: [child.status for child in one.children.values()].count("SUCCEEDED") == 1)
    assert cli("cancel", run, "--yes").code == 0
    execution.wait()
    jobs.waiting, jobs.ran = set(), []
    return run


def refusal(cli: Cli, run: str, *options: str) -> tuple[str, str, Any]:
    """Return reason, message and rerun command of a run that is not redriven, from --json and from the plain output."""
    plain = cli("redrive", run, *options)
    ended = cli("redrive", run, "--json", *options)
    answer = json.loads(ended.out)
    assert (plain.code, ended.code, answer["run"], answer["redriven"]) == (1, 1, run, False)
    command = [answer["rerun"]] if answer["rerun"] else []
    assert plain.err.splitlines() == [f"error: {run}: not redriven: {answer['message']}", *command]
    return answer["reason"], answer["message"], answer["rerun"]


def test_a_cancelled_run_continues(cancelled_run: str, jobs: Jobs, step_functions: FakeAws, cli: Cli) -> None:
    execution = step_functions.execution(cancelled_run)
    (before,) = execution.map_runs
    ended = cli("redrive", cancelled_run)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"{cancelled_run}: redriven for the 1st time",
        f"genomics-pipeline status {cancelled_run} --watch",
    ]
    execution.wait()
    assert execution.map_runs[0] == before
    assert sorted(ran for ran in jobs.ran if ran[0] == "alignment") == [("alignment", "B"), ("alignment", "C")]
    status = json.loads(cli("status", cancelled_run, "--json").out)
    assert (status["status"], status["failures"]["items"]) == ("SUCCEEDED", [])
    assert step_functions.states.calls.of("RedriveExecution")[0]["executionArn"] == execution.arn


def test_failures_of_the_redrive_are_reported(
    cancelled_run: str, jobs: Jobs, step_functions: FakeAws, cli: Cli
) -> None:
    jobs.broken = {"C"}
    answer = json.loads(cli("redrive", cancelled_run, "--json").out)
    execution = step_functions.execution(cancelled_run)
    date = answer.pop("redrive_date")
    assert answer == {
        "run": cancelled_run,
        "status": "RUNNING",
        "redriven": True,
        "redrive_count": 1,
        "reason": None,
        "message": None,
        "rerun": None,
    }
    assert date.startswith("20")
    execution.wait()
    status = json.loads(cli("status", cancelled_run, "--json").out)
    assert [(one["item"], one["message"]) for one in status["failures"]["items"]] == [("C", "bad reads")]
    rows = [json.loads(line) for line in cli("results", cancelled_run, "--failed", "--json").out.splitlines()]
    assert [row["sample"] for row in rows] == ["C"]


def test_a_run_that_succeeded(submit_run: Callable[..., str], jobs: Jobs, cli: Cli) -> None:
    assert refusal(cli, submit_run("A")) == ("SUCCEEDED", "it succeeded, and no item failed", None)


def test_a_run_whose_failures_were_tolerated(submit_run: Callable[..., str], jobs: Jobs, cli: Cli) -> None:
    jobs.broken = {"B"}
    run = submit_run("A", "B", "C")
    assert refusal(cli, run) == (
        "SUCCEEDED",
        "it succeeded, with 1 failed item tolerated; AWS redrives only executions that did not succeed",
        f"genomics-pipeline rerun {run}",
    )


def test_a_run_that_is_running(submit_run: Callable[..., str], jobs: Jobs, step_functions: FakeAws, cli: Cli) -> None:
    jobs.waiting = {"A"}
    run = submit_run("A", wait=False)
    step_functions.batch.wait(lambda batch: len(batch.running()) == 1)
    assert refusal(cli, run) == ("RUNNING", "it is running", None)
    assert cli("cancel", run, "--yes").code == 0


def test_executions_that_aws_does_not_redrive_any_more(
    cancelled_run: str, step_functions: FakeAws, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = step_functions.execution(cancelled_run)
    rerun = f"genomics-pipeline rerun {cancelled_run}"
    stopped, started = execution.stopped, execution.started
    assert stopped is not None
    execution.stopped, execution.started = 1_000_000_000.0, stopped - 20 * DAY_S
    old = "it ended on 2001-09-09, and AWS redrives for 14 days only"
    assert refusal(cli, cancelled_run) == ("TOO_OLD", old, rerun)
    execution.stopped, execution.started = stopped, 1_000_000_000.0
    old = "it was started on 2001-09-09, and AWS redrives no execution that is older than a year"
    assert refusal(cli, cancelled_run) == ("TOO_LONG_OPEN", old, rerun)
    execution.started = started
    with monkeypatch.context() as patch:
        patch.setattr(quotas, "REDRIVE_HISTORY", replace(quotas.REDRIVE_HISTORY, value=4))
        full = "its history is full: AWS redrives below 5 events"
        assert refusal(cli, cancelled_run) == ("HISTORY", full, rerun)
    del step_functions.states.executions[execution.arn]
    gone = "AWS has no record of an execution of it: it was never started, or ended more than 90 days ago"
    assert refusal(cli, cancelled_run) == ("GONE", gone, rerun)


def test_another_definition(cancelled_run: str, stack: Deployed, step_functions: FakeAws, cli: Cli) -> None:
    key = f"runs/{cancelled_run}/definition.json"
    stack.put(key, json.dumps({**stack.read(key), "Comment": "of last week"}))
    assert refusal(cli, cancelled_run) == (
        "DEFINITION",
        "another definition is deployed now: a redrive would run the old one, a rerun the new one; "
        "--keep-definition redrives it anyway",
        f"genomics-pipeline rerun {cancelled_run}",
    )
    assert cli("redrive", cancelled_run, "--keep-definition").code == 0
    step_functions.execution(cancelled_run).wait()


def test_a_deleted_state_machine(cancelled_run: str, step_functions: FakeAws, cli: Cli) -> None:
    does_not_exist = ApiError("StateMachineDoesNotExist", "State Machine Does Not Exist")
    step_functions.states.gate.fail("DescribeStateMachine", does_not_exist, 2)
    message = "its state machine is no longer deployed; --keep-definition redrives it anyway"
    assert refusal(cli, cancelled_run)[:2] == ("DEFINITION", message)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("States.DataLimitExceeded", "The state/task 'Sample' returned a result that is too large."),
        ("States.Runtime", "An error occurred while executing the state 'Sample' (entered at the event id #2). …"),
        ("States.QueryEvaluationError", "An error occurred while executing the state 'Sample' …"),
    ],
)
def test_a_redrive_that_would_start_again_with_all_items(
    cancelled_run: str, step_functions: FakeAws, cli: Cli, error: str, cause: str
) -> None:
    """Developer guide, "Redriving Map Runs": "A new Map Run is started and the existing Map Run isn't redriven"."""
    execution = step_functions.execution(cancelled_run)
    assert execution._result is not None
    execution._result, execution._stop = replace(execution._result, status="FAILED", error=error, cause=cause), None
    assert refusal(cli, cancelled_run) == (
        "ALL_ITEMS",
        f"it ended with {error}, after which AWS does not continue the Map Run but starts one over all items; "
        "--all-items accepts that",
        f"genomics-pipeline rerun {cancelled_run}",
    )
    assert cli("redrive", cancelled_run, "--all-items").code == 0
    execution.wait()


def test_a_stage_that_ended_in_a_fail_state(submit_run: Callable[..., str], jobs: Jobs, cli: Cli) -> None:
    """Developer guide, "Redrive behavior of individual states": Fail "Reenters the Fail state and fails again"."""
    jobs.broken = {"gather"}
    run = submit_run("A")
    assert refusal(cli, run) == (
        "FAIL_STATE",
        "the failure of gather was caught and led to a Fail state, and a redrive would only enter that state again",
        f"genomics-pipeline rerun {run}",
    )


def test_more_samples_in_a_fail_state_than_are_tolerated(
    submit_run: Callable[..., str], jobs: Jobs, step_functions: FakeAws, cli: Cli
) -> None:
    jobs.broken = {"A", "B", "C"}
    run = submit_run("A", "B", "C")
    assert step_functions.execution(run).description()["error"] == "States.ExceedToleratedFailureThreshold"
    reason, message, rerun = refusal(cli, run)
    assert reason == "FAIL_STATE"
    assert message.endswith(
        " items of Sample failed, more than are tolerated; each ended in a Fail state, and a redrive would only enter "
        "that state again"
    )
    assert rerun == f"genomics-pipeline rerun {run}"
    status = json.loads(cli("status", run, "--json").out)
    failed = status["map_runs"][0]["failed"]
    assert status["error"].startswith(f"stopped: {failed} of 3 samples failed; at most 1 may (--max-failures, or ")


def test_an_execution_that_changes_during_the_command(cancelled_run: str, step_functions: FakeAws, cli: Cli) -> None:
    gate = step_functions.states.gate
    said = "Execution arn invalid for redrive as: State machine is in DELETING status"
    gate.fail("RedriveExecution", ApiError("ExecutionNotRedrivable", said), 2)
    assert refusal(cli, cancelled_run)[:2] == ("OTHER", "AWS does not redrive it: State machine is in DELETING status")
    gate.fail("RedriveExecution", ApiError("ExecutionLimitExceeded", "The maximum number … has been reached"))
    arn = step_functions.execution(cancelled_run).arn
    assert cli("redrive", cancelled_run).err == (
        f"error: cannot redrive the execution {arn}: the account has its maximum number of open executions; "
        "try again after some have ended\n"
    )
    gate.throttle("RedriveExecution", 2)
    assert cli("redrive", cancelled_run).code == 0
    step_functions.execution(cancelled_run).wait()


def test_a_run_of_this_machine(tmp_path: Path, cli: Cli) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    assert cli("redrive", folder.path).err == (
        f"error: {folder.path}: expected a run on AWS, found one of this machine, which cannot be redriven; "
        f"use `genomics-pipeline rerun {folder.path}` after a failure, `run --resume` after an interruption\n"
    )
