"""Retries by Batch, only of failures that another host may avoid."""

from __future__ import annotations

import json

import pytest

from genomics_pipeline.model.batch_retry import STACK_RETRY_STRATEGY, EvaluateOnExit, RetryStrategy, retry_strategy
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.failure import FailureClass

EXITED = "Essential container in task exited"
# By failure class: status reason, container reason and exit code of an attempt (see tests/model/test_classify.py).
ENDS = {
    FailureClass.HOST_LOST: ("Host EC2 (instance i-0c8df3d1e3c5d8d3a) terminated.", None, None),
    FailureClass.IMAGE: ("Task failed to start", "CannotPullContainerError: pull image manifest", None),
    FailureClass.OUT_OF_MEMORY: (EXITED, "OutOfMemoryError: Container killed due to memory usage", 137),
    FailureClass.TIMEOUT: ("Job attempt duration exceeded timeout", None, 137),
    FailureClass.BAD_INPUT: (EXITED, None, 65),
    FailureClass.TOOL_ERROR: (EXITED, None, 1),
    FailureClass.CANCELLED: ("cancelled by `genomics-pipeline cancel`", None, 143),
}


def class_of(status_reason: str, reason: str | None, code: int | None) -> FailureClass:
    detail = {"JobId": "1", "StatusReason": status_reason, "Container": {"ExitCode": code, "Reason": reason}}
    return classify("States.TaskFailed", json.dumps(detail)).failure_class


@pytest.mark.parametrize("failure", ENDS)
def test_only_lost_hosts_and_images_are_retried(failure: FailureClass) -> None:
    retried = STACK_RETRY_STRATEGY.retries(*ENDS[failure])
    # Batch itself retries no job that was terminated.
    assert retried == (failure in (FailureClass.HOST_LOST, FailureClass.IMAGE, FailureClass.CANCELLED))
    assert class_of(*ENDS[failure]) == failure


def test_a_host_that_goes_may_stop_the_container_first() -> None:
    assert STACK_RETRY_STRATEGY.retries(EXITED, None, 143)
    assert class_of(EXITED, None, 143) == FailureClass.HOST_LOST
    assert class_of("not needed any more", None, 143) == FailureClass.CANCELLED


def test_failures_of_the_agent_are_retried() -> None:
    assert STACK_RETRY_STRATEGY.retries("Task failed to start", None, None)


def test_the_strategy_is_within_the_limits_of_aws() -> None:
    """Check the limits of the API reference: RetryStrategy and EvaluateOnExit."""
    assert 1 <= STACK_RETRY_STRATEGY.attempts <= 10
    assert len(STACK_RETRY_STRATEGY.evaluate_on_exit) <= 5
    assert STACK_RETRY_STRATEGY.evaluate_on_exit[-1] == EvaluateOnExit("EXIT", on_reason="*")
    for entry in STACK_RETRY_STRATEGY.evaluate_on_exit:
        for pattern in (entry.on_status_reason, entry.on_reason):
            assert pattern is None or (pattern.removesuffix("*").replace(" ", "").isalnum() or pattern == "*")


def test_the_first_matching_entry_decides_and_without_one_batch_retries() -> None:
    strategy = RetryStrategy(
        2, (EvaluateOnExit("exit", on_reason="a*", on_exit_code="1"), EvaluateOnExit("RETRY", on_reason="a*"))
    )
    assert [strategy.retries("", "ab", code) for code in (1, 12, None)] == [False, True, True]
    assert strategy.retries("", "b", 1)


def test_json_round_trip() -> None:
    assert RetryStrategy.from_json(STACK_RETRY_STRATEGY.to_json()) == STACK_RETRY_STRATEGY
    assert RetryStrategy.from_json({}) == RetryStrategy()
    assert retry_strategy(3, ()).to_json() == {"Attempts": 3, "EvaluateOnExit": [{"OnReason": "*", "Action": "EXIT"}]}
