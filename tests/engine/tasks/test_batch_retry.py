"""Retry strategies of Batch jobs on this machine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genomics_pipeline.engine.events import JobEnded
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model.batch_retry import EXITED, STACK_RETRY_STRATEGY, TIMED_OUT
from tests.engine.tasks.batch_jobs import job_with_ends, run, submit
from tests.patience import PATIENCE_S

HOST = JobEnd(None, status_reason="Host EC2 (instance i-0123456789abcdef0) terminated.")
PULL = JobEnd(None, "CannotPullContainerError: pull image manifest has been retried", None, "Task failed to start")


def test_transient_failures_are_retried_and_every_attempt_is_reported(harness: Any) -> None:
    seen: list[Job] = []
    job = job_with_ends(HOST, PULL, JobEnd(0, log_stream="log"), seen=seen)
    result = run(harness, submit(JobDefinition="ours"), job)
    assert [(job.job_id, job.attempt) for job in seen] == [
        (seen[0].job_id, 1),
        (seen[0].job_id, 2),
        (seen[0].job_id, 3),
    ]
    detail = result.output
    assert (detail["Status"], detail["StatusReason"]) == ("SUCCEEDED", EXITED)
    assert [(attempt["StatusReason"], attempt["Container"]) for attempt in detail["Attempts"]] == [
        ("Host EC2 (instance i-0123456789abcdef0) terminated.", {}),
        ("Task failed to start", {"Reason": "CannotPullContainerError: pull image manifest has been retried"}),
        (EXITED, {"ExitCode": 0, "LogStreamName": "log"}),
    ]
    assert detail["StartedAt"] == detail["Attempts"][2]["StartedAt"]  # that of the last attempt, as on AWS
    assert {key: detail["Container"][key] for key in ("ExitCode", "LogStreamName")} == {
        "ExitCode": 0,
        "LogStreamName": "log",
    }
    assert detail["RetryStrategy"] == STACK_RETRY_STRATEGY.to_json()
    assert [(event.exit_code, event.reason, event.again) for event in harness.seen(JobEnded)] == [
        (None, "Host EC2 (instance i-0123456789abcdef0) terminated.", True),
        (None, "CannotPullContainerError: pull image manifest has been retried", True),
        (0, None, False),
    ]


@pytest.mark.parametrize(
    ("attempts", "count"),
    [
        ([HOST] * 9, 5),  # the limit
        ([JobEnd(1, "wrong")], 1),
        ([JobEnd(137, "OutOfMemoryError: Container killed due to memory usage")], 1),
        ([HOST, JobEnd(65, "R2 is short")], 2),
        ([JobEnd(137, status_reason=TIMED_OUT)], 1),
    ],
)
def test_only_transient_failures_are_retried(harness: Any, attempts: list[JobEnd], count: int) -> None:
    result = run(harness, submit(JobDefinition="ours"), job_with_ends(*attempts))
    cause = json.loads(result.cause)
    last = attempts[count - 1]
    assert (result.error, cause["Status"], cause["StatusReason"]) == ("States.TaskFailed", "FAILED", last.status_reason)
    assert len(cause["Attempts"]) == count
    assert cause["Container"].get("ExitCode") == last.exit_code
    assert [event.again for event in harness.seen(JobEnded)] == [True] * (count - 1) + [False]


def test_the_submissions_retry_strategy_overrides_the_definitions(harness: Any) -> None:
    # Batch user guide, "Automated job retries": failures that match no entry are retried.
    strategy = {"Attempts": 3, "EvaluateOnExit": [{"OnExitCode": "6*", "Action": "exit"}]}
    state = submit(JobDefinition="ours", RetryStrategy=strategy)
    cause = json.loads(run(harness, state, job_with_ends(JobEnd(1), JobEnd(65), JobEnd(0))).cause)
    assert [attempt["Container"]["ExitCode"] for attempt in cause["Attempts"]] == [1, 65]
    assert cause["RetryStrategy"] == {"Attempts": 3, "EvaluateOnExit": [{"OnExitCode": "6*", "Action": "exit"}]}


def test_a_job_that_timed_out_is_not_retried(harness: Any) -> None:
    seen: list[Job] = []

    def job(job: Job) -> JobEnd:
        seen.append(job)
        assert job.cancelled.wait(PATIENCE_S)
        return JobEnd(143)

    state = submit(RetryStrategy={"Attempts": 3}, Timeout={"AttemptDurationSeconds": 0.01})
    cause = json.loads(run(harness, state, job).cause)
    assert (len(seen), cause["StatusReason"], len(cause["Attempts"])) == (1, TIMED_OUT, 1)
