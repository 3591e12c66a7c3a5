"""Errors of states: their text, causes, names and details."""

from __future__ import annotations

import pytest

from genomics_pipeline.language.errors import StatesError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (StatesError("Bad", "because"), "Bad: because"),
        (StatesError("Bad"), "Bad"),
        (StatesError("", "because"), ": because"),
    ],
)
def test_the_text_of_an_error(error: StatesError, text: str) -> None:
    assert str(error) == text


def test_error_output_always_has_both_members() -> None:
    assert StatesError("Bad").output() == {"Error": "Bad", "Cause": ""}


def test_errors_at_the_limit_are_not_truncated() -> None:
    error = StatesError("é" * 256, "é" * 32_768)
    assert error.output() == {"Error": "é" * 256, "Cause": "é" * 32_768}


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        # radkawar/stackd testdata/aws/stepfunctions/dataflow_execution.json: missing-input-runtime, jsonata-undefined
        (
            StatesError("States.Runtime", "why"),
            "An error occurred while executing the state 'A' (entered at the event id #7). why",
        ),
        (
            StatesError("States.QueryEvaluationError", "why").with_state("A", 7),
            "An error occurred while executing the state 'A' (entered at the event id #7). why",
        ),
        # dataflow_execution.json: map-null
        (StatesError("States.Runtime", "why", evaluation_failed=False), "why"),
        (StatesError("States.QueryEvaluationError", "why").with_final_cause(), "why"),
        (StatesError("Bad", "why"), "why"),
        (StatesError("States.Timeout", None), None),
    ],
)
def test_a_cause_names_the_state_of_a_failed_evaluation_once(error: StatesError, cause: str | None) -> None:
    assert error.with_state("A", 7).cause == cause
    assert error.with_state("A", 7).with_state("Outer", 2).cause == cause


def test_aliases_are_kept() -> None:
    error = StatesError("Bad", aliases=("A",)).with_final_cause("B")
    assert (error.aliases, error.with_state("S", 1).aliases) == (("A", "B"), ("A", "B"))


def test_details_of_an_empty_error_are_null() -> None:
    # localstack/localstack tests/aws/services/stepfunctions/v2/base/test_base.snapshot.json, test_state_fail_empty
    assert StatesError("", None).details() == {"error": None, "cause": None}
