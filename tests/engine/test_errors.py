"""Errors: what a state's failure looks like to whoever reads it."""

from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.engine.errors import StatesError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (StatesError("Bad", "because"), "Bad: because"),
        (StatesError("Bad"), "Bad"),
        (StatesError("", "because"), ": because"),
    ],
)
def test_text(error: StatesError, text: str) -> None:
    assert str(error) == text


def test_error_output_always_has_both_members() -> None:
    assert StatesError("Bad").output() == {"Error": "Bad", "Cause": ""}


def test_errors_at_their_limit_stay_whole() -> None:
    error = StatesError("é" * 256, "é" * 32_768)
    assert error.output() == {"Error": "é" * 256, "Cause": "é" * 32_768}


def test_an_uncaught_error_is_how_the_execution_ends(bench: Any) -> None:
    async def fails(arguments: Any, context: Any) -> None:
        raise StatesError("Batch.ClientException", "JobDefinition not found: x")

    result = bench.run({"T": {"Type": "Task", "Resource": "fails", "End": True}}, tasks={"fails": fails})
    assert (result.status, result.output, result.error, result.cause) == (
        "FAILED",
        None,
        "Batch.ClientException",
        "JobDefinition not found: x",
    )


@pytest.mark.parametrize("field", ["Error", "Cause"])
def test_a_fail_state_tells_text_only(bench: Any, field: str) -> None:
    result = bench.run({"F": {"Type": "Fail", field: "{% 5 %}"}})
    assert (result.status, result.error, result.cause) == (
        "FAILED",
        "States.QueryEvaluationError",
        f"The JSONata expression '5' specified for the field '{field}' returned an unexpected result type. "
        "Expected 'string', but was 'number' for value: 5",
    )
