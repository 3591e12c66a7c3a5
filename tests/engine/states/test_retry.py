"""Retry: the choice of a retrier for an error, the number of attempts and the delays between them."""

from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.engine.events import RetryScheduled
from genomics_pipeline.language.errors import StatesError, matches


def failing(*errors: str) -> Any:
    """Return a task that fails with each error in turn, and then succeeds."""
    remaining = list(errors)

    async def task(arguments: Any, context: Any) -> Any:
        if remaining:
            raise StatesError(remaining.pop(0), "because")
        return {"attempt": context.attempt}

    return task


def state(*retriers: dict[str, Any]) -> dict[str, Any]:
    return {"T": {"Type": "Task", "Resource": "t", "Retry": list(retriers), "End": True}}


@pytest.mark.parametrize(
    ("retrier", "slept"),
    [
        ({}, [1, 2, 4]),
        ({"IntervalSeconds": 2, "BackoffRate": 3}, [2, 6, 18]),
        ({"MaxDelaySeconds": 2}, [1, 2, 2]),
        ({"JitterStrategy": "FULL"}, [0.25, 0.5, 1]),
        ({"JitterStrategy": "NONE", "BackoffRate": 1}, [1, 1, 1]),
    ],
)
def test_delays_follow_the_retrier(harness: Any, retrier: dict[str, Any], slept: list[float]) -> None:
    result = harness.run(state({"ErrorEquals": ["Bad"], **retrier}), tasks={"t": failing("Bad", "Bad", "Bad")})
    assert result.output == {"attempt": 3}
    assert result.transitions == 4
    assert harness.clock.slept == slept
    assert [(event.attempt, event.delay_s) for event in harness.seen(RetryScheduled)] == list(enumerate(slept, 1))


@pytest.mark.parametrize(("attempts", "transitions"), [(0, 1), (2, 3)])
def test_max_attempts_limits_the_retries(harness: Any, attempts: int, transitions: int) -> None:
    result = harness.run(state({"ErrorEquals": ["Bad"], "MaxAttempts": attempts}), tasks={"t": failing(*["Bad"] * 9)})
    assert (result.status, result.error, result.cause) == ("FAILED", "Bad", "because")
    assert result.transitions == transitions


def test_each_retrier_counts_its_own_attempts(harness: Any) -> None:
    retriers = ({"ErrorEquals": ["A"], "MaxAttempts": 1}, {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 10})
    result = harness.run(state(*retriers), tasks={"t": failing("A", "B", "B")})
    assert result.status == "SUCCEEDED"
    assert harness.clock.slept == [1, 10, 20]


def test_the_first_retrier_that_matches_decides(harness: Any) -> None:
    retriers = ({"ErrorEquals": ["A"], "MaxAttempts": 1}, {"ErrorEquals": ["States.ALL"]})
    assert harness.run(state(*retriers), tasks={"t": failing("A", "A")}).error == "A"


def test_catch_comes_after_retry(harness: Any) -> None:
    states = state({"ErrorEquals": ["Bad"], "MaxAttempts": 1})
    states["T"]["Catch"] = [{"ErrorEquals": ["States.TaskFailed"], "Next": "E"}]
    states["E"] = {"Type": "Succeed"}
    result = harness.run(states, tasks={"t": failing("Bad", "Bad")})
    assert result.output == {"Error": "Bad", "Cause": "because"}


@pytest.mark.parametrize(
    ("error", "names", "expected"),
    [
        ("Bad", ["Bad"], True),
        ("Bad", ["Good", "Bad"], True),
        ("Bad", ["Good"], False),
        ("Bad", ["States.ALL"], True),
        ("Bad", ["States.TaskFailed"], True),
        ("States.Timeout", ["States.TaskFailed"], False),
        ("States.Timeout", ["States.ALL"], True),
        ("States.Runtime", ["States.ALL", "States.Runtime"], False),
        ("States.DataLimitExceeded", ["States.ALL"], False),
    ],
)
def test_names_match_errors(error: str, names: list[str], expected: bool) -> None:
    assert matches(StatesError(error), names) is expected


def test_error_and_cause_are_truncated_to_awss_limits() -> None:
    error = StatesError("e" * 300, "c" * 40_000)
    assert (len(error.error), len(str(error.cause))) == (256, 32_768)
