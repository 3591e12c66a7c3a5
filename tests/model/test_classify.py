"""Failure classes of causes from AWS, programs and the worker, and the fields that decide them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.failure_tables import BY_ERROR, BY_EXIT_CODE, BY_REASON, BY_STATUS_REASON
from genomics_pipeline.model.stage_try import StageTry
from tests.corpus.failure_causes import Cause, causes

EXITED = "Essential container in task exited"
CAUSES = {cause.name: cause for cause in causes()}

# Must not be searched: it names every class.
RETRY_STRATEGY = {
    "EvaluateOnExit": [
        {"OnReason": "OutOfMemoryError*"},
        {"OnStatusReason": "Host EC2*"},
        {"OnReason": "CannotPullContainer*"},
        {"OnExitCode": "137"},
    ]
}


def job(status_reason: str = EXITED, code: int | None = None, reason: str | None = None, **more: Any) -> str:
    """Return a job's detail as ``batch:submitJob.sync`` gives it."""
    container = {"ExitCode": code, "Reason": reason, "LogStreamName": "a/default/2"}
    detail = {
        "JobId": "j1",
        "Status": "FAILED",
        "StatusReason": status_reason,
        "Attempts": [{"Container": {"LogStreamName": "a/default/1"}, "StatusReason": "Host EC2 (i-1) terminated."}],
        "Container": {name: value for name, value in container.items() if value is not None},
        "RetryStrategy": RETRY_STRATEGY,
    }
    return json.dumps(detail | more)


def stage(cause: str, error: str = "States.TaskFailed", **more: Any) -> str:
    """Return a cause of a generated Fail state."""
    return json.dumps({"stage": "alignment", "error": error, "cause": cause, **more}, separators=(",", ":"))


@pytest.mark.parametrize("cause", CAUSES.values(), ids=list(CAUSES))
def test_every_cause_of_the_corpus_has_its_class(cause: Cause) -> None:
    assert classify(cause.error, cause.cause).failure_class == cause.failure_class
    if "stage" not in cause.cause:
        failure = classify("alignment", stage(cause.cause, cause.error))
        assert (failure.failure_class, failure.stage) == (cause.failure_class, "alignment")


@pytest.mark.parametrize("cause", [cause for cause in CAUSES.values() if cause.job], ids=lambda cause: cause.name)
def test_retry_patterns_in_a_cause_are_not_searched(cause: Cause) -> None:
    detail = json.dumps({**(cause.job or {}), "RetryStrategy": RETRY_STRATEGY})
    assert classify(cause.error, detail).failure_class == cause.failure_class


def test_the_corpus_covers_every_class_and_every_row_of_the_tables() -> None:
    counted = Counter(cause.failure_class for cause in CAUSES.values())
    assert set(counted) == set(FailureClass)
    assert counted.total() >= 60
    assert all(cause.source for cause in CAUSES.values())
    whys = {classify(cause.error, cause.cause).why for cause in CAUSES.values()}
    reasons = [why.partition(": ")[2] for why in whys]
    for start in BY_STATUS_REASON:
        assert any(reason.startswith(start) for reason in reasons), start
    for start in BY_REASON:
        assert any(reason.lower().startswith(start) for reason in reasons), start
    assert {f"exit code: {code}" for code in BY_EXIT_CODE} <= whys
    assert {f"error: {name}" for name in BY_ERROR if name} <= whys


@pytest.mark.parametrize("table", [BY_STATUS_REASON, BY_REASON], ids=["status reasons", "reasons"])
def test_no_row_of_a_table_hides_another(table: dict[str, FailureClass]) -> None:
    starts = list(table)
    assert [(a, b) for a in starts for b in starts if a != b and b.startswith(a)] == []
    assert table is BY_STATUS_REASON or starts == [start.lower() for start in starts]


def test_the_reason_is_that_of_the_job_or_of_the_last_attempt() -> None:
    pull, memory = "CannotPullContainerError: x", "outOfMemoryError: Container killed due to memory usage"
    attempts = [{"Container": {"Reason": "DockerTimeoutError: x"}}, {"Container": {"Reason": pull}}]
    failure = classify("", job(Attempts=attempts))
    assert (failure.message, failure.why) == (pull, f"container reason: {pull}")
    assert classify("", job(code=137, reason=memory, Attempts=attempts)).why == f"container reason: {memory}"
    assert classify("", job("CgroupError: x", code=1)).why == "status reason: CgroupError: x"
    assert classify("", job("CgroupError: x", reason=memory)).failure_class == FailureClass.OUT_OF_MEMORY


def test_a_failure_has_the_details_of_its_job() -> None:
    refused = "a.fq: record 3: expected '@'"
    assert classify("States.TaskFailed", job(code=65, reason=refused)) == Failure(
        failure_class=FailureClass.BAD_INPUT,
        message=refused,
        why="exit code: 65",
        error="States.TaskFailed",
        exit_code=65,
        job_id="j1",
        log_streams=("a/default/1", "a/default/2"),
        attempts=1,
        times=(None,),
    )
    timed = [{"Container": {}, "StartedAt": 1000, "StoppedAt": 3500}, {"Container": {}, "StoppedAt": 4000}]
    assert classify("", job(Attempts=timed)).times == ((1.0, 3.5), None)
    before_it_began = job(code=1, Attempts=[{"Container": {}}, {"Container": {"LogStreamName": "a/default/2"}}])
    assert classify("", before_it_began).log_streams == (None, "a/default/2")
    assert classify("", "").message == "aborted before it ended"
    assert classify("", job("Task was stopped")).failure_class == FailureClass.UNKNOWN
    assert classify("States.TaskFailed", job("Task was stopped")).why == ""


# botocore's model of Batch, ContainerDetail: `memory` is present only without `resourceRequirements`, whose values are
# texts.
@pytest.mark.parametrize(
    ("container", "memory_mib"),
    [
        ({"Memory": 4096}, 4096),
        (
            {
                "Memory": 0,
                "ResourceRequirements": [{"Type": "VCPU", "Value": "2"}, {"Type": "MEMORY", "Value": "8192"}],
            },
            8192,
        ),
        ({"Memory": 2048, "ResourceRequirements": [{"Type": "VCPU", "Value": "2"}]}, 2048),
        ({"ResourceRequirements": [{"Type": "MEMORY", "Value": "much"}]}, None),
        ({}, None),
    ],
)
def test_the_memory_of_a_job(container: dict[str, Any], memory_mib: int | None) -> None:
    assert classify("", job(Container=container)).memory_mib == memory_mib


def test_a_class_may_follow_from_the_exit_code_alone() -> None:
    reason = "OutOfMemoryError: Container killed due to memory usage"
    assert classify("States.TaskFailed", job(code=1)).by_exit_code
    assert not classify("States.TaskFailed", job(code=137, reason=reason)).by_exit_code
    assert not classify("States.Timeout", "").by_exit_code


def test_earlier_attempts_are_part_of_a_failure() -> None:
    tried = [
        {"class": "host_lost", "memory_mib": 4096, "job_id": "j0"},
        {"class": "throttled", "memory_mib": 4096},
        {"class": "out_of_memory", "memory_mib": 4096, "job_id": "j1"},
    ]
    failure = classify("", stage(job(code=137), tried=tried))
    assert failure.tried == (
        StageTry(FailureClass.HOST_LOST, 4096, "j0"),
        StageTry(FailureClass.THROTTLED, 4096),
        StageTry(FailureClass.OUT_OF_MEMORY, 4096, "j1"),
    )
    assert (failure.attempts, failure.attempt) == (2, 1)  # one attempt of j0 and one of j1, the first of that job
    odd = classify("", stage(job(code=137), tried=[{"class": "sad", "memory_mib": "?"}, 7]))
    assert odd.tried == (StageTry(FailureClass.UNKNOWN),)
    assert (odd.attempts, odd.attempt) == (1, 1)
    assert classify("", stage(job(code=137), tried={"class": "host_lost"})).tried == ()


def test_the_class_is_determined_again_except_for_a_steps_own_exit_codes() -> None:
    spot = job("Host EC2 (instance i-1) terminated.")
    assert classify("", stage(spot, **{"class": "tool_error"})).failure_class == FailureClass.HOST_LOST
    own = classify("", stage(job(code=9), **{"class": "out_of_disk"}))
    assert (own.failure_class, own.why) == (FailureClass.OUT_OF_DISK, "exit code: 9, by the step's own exit codes")
    assert classify("", stage(job(code=9), **{"class": "sad"})).failure_class == FailureClass.TOOL_ERROR


def test_a_truncated_cause_is_classified_by_its_beginning() -> None:
    message = "AWS cut the cause after 32,768 characters; see the job's log"
    cut = json.dumps({"stage": "alignment", "class": "out_of_memory", "error": "E", "cause": "x" * 40_000})
    cut = cut.replace('": ', '":').replace(', "', ',"')[:32_768]
    assert classify("States.TaskFailed", cut) == Failure(
        failure_class=FailureClass.OUT_OF_MEMORY,
        message=message,
        why="class: out_of_memory, as classified by the state machine",
        error="E",
        stage="alignment",
    )
    of_a_job = job(code=137, Command="x" * 40_000)[:32_768]
    assert classify("States.TaskFailed", of_a_job) == Failure(FailureClass.UNKNOWN, message, error="States.TaskFailed")
    number = f'{{"class":"timeout","stage":{"1" * 40_000}'[:32_768]
    assert classify("", number).stage is None
    assert classify("States.Timeout", "words" * 10_000).failure_class == FailureClass.TIMEOUT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
MEMBERS = ["stage", "class", "error", "cause", "tried", "Container", "Attempts", "JobId", "StatusReason"]


@given(st.text(), st.text() | st.dictionaries(st.sampled_from(MEMBERS), JSON).map(json.dumps))
def test_any_text_is_classified(error: str, cause: str) -> None:
    assert classify(error, cause).failure_class in FailureClass
