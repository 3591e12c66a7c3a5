"""Errors of states: they are retried and caught, or end the execution."""

from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.language.errors import StatesError


def test_an_uncaught_error_ends_the_execution(harness: Any) -> None:
    async def fails(arguments: Any, context: Any) -> None:
        raise StatesError("Batch.ClientException", "JobDefinition not found: x")

    result = harness.run({"T": {"Type": "Task", "Resource": "fails", "End": True}}, tasks={"fails": fails})
    assert (result.status, result.output, result.error, result.cause) == (
        "FAILED",
        None,
        "Batch.ClientException",
        "JobDefinition not found: x",
    )


@pytest.mark.parametrize("field", ["Error", "Cause"])
def test_error_and_cause_of_a_fail_state_must_be_strings(harness: Any, field: str) -> None:
    result = harness.run({"F": {"Type": "Fail", field: "{% 5 %}"}})
    assert (result.status, result.error, result.cause) == (
        "FAILED",
        "States.QueryEvaluationError",
        "An error occurred while executing the state 'F' (entered at the event id #2). "
        f"The JSONata expression '5' specified for the field '{field}' returned an unexpected result type. "
        "Expected 'string', but was 'number' for value: 5",
    )


LARGE = {"ErrorEquals": ["States.DataLimitExceeded"], "Next": "Caught"}
FAILED = {"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}
ALL = {"ErrorEquals": ["States.ALL"], "Next": "Caught"}


@pytest.mark.parametrize(("catchers", "status"), [([FAILED, LARGE, ALL], "SUCCEEDED"), ([FAILED, ALL], "FAILED")])
def test_an_output_that_is_too_large_can_be_caught_by_its_name(harness: Any, catchers: list[Any], status: str) -> None:
    # developer guide, "Handling errors": States.DataLimitExceeded, for the output of a state as well
    task = {"Type": "Task", "Resource": "echo", "Output": "{% $pad('', 262143, 'x') %}", "Catch": catchers, "End": True}
    caught = {"Type": "Pass", "Output": "{% $states.input.Cause %}", "End": True}
    result = harness.run({"T": task, "Caught": caught})
    cause = "The state/task 'T' returned a result with a size exceeding the maximum number of bytes service limit."
    assert (result.status, result.cause or result.output) == (status, cause)


def test_a_fail_state_without_fields_ends_the_execution(harness: Any) -> None:
    result = harness.run({"F": {"Type": "Fail"}})
    assert (result.status, result.error, result.cause) == ("FAILED", None, None)


def test_an_error_of_a_handler_is_reported_unchanged(harness: Any) -> None:
    async def fails(arguments: Any, context: Any) -> None:
        raise StatesError("States.QueryEvaluationError", "raised by a function")

    result = harness.run({"T": {"Type": "Task", "Resource": "fails", "End": True}}, tasks={"fails": fails})
    assert (result.error, result.cause) == ("States.QueryEvaluationError", "raised by a function")


@pytest.mark.parametrize("name", ["Bad", "States.BranchFailed", "States.TaskFailed", "States.ALL"])
def test_a_branch_fails_with_its_own_error(harness: Any, name: str) -> None:
    # localstack/localstack tests/aws/services/stepfunctions/v2/scenarios, test_parallel_state_catch; ASL: BranchFailed
    branch = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Bad", "Cause": "why"}}}
    catch = [{"ErrorEquals": [name], "Next": "E"}]
    states = {"P": {"Type": "Parallel", "Branches": [branch], "Catch": catch, "End": True}, "E": {"Type": "Succeed"}}
    assert harness.run(states).output == {"Error": "Bad", "Cause": "why"}


@pytest.mark.parametrize("field", ["Arguments", "Output", "Assign"])
@pytest.mark.parametrize(("retries", "slept"), [(2, [1, 2]), (0, [])])
def test_a_field_that_fails_is_retried_then_caught(harness: Any, field: str, retries: int, slept: list[int]) -> None:
    # developer guide, "Handling errors": States.QueryEvaluationError; Retry comes before Catch
    task = {"Type": "Task", "Resource": "echo", field: {"x": "{% $states.input.no %}"}, "End": True}
    retry = [{"ErrorEquals": ["States.QueryEvaluationError"], "MaxAttempts": retries}]
    catch = [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Next": "E"}]
    result = harness.run({"T": {**task, "Retry": retry, "Catch": catch}, "E": {"Type": "Succeed"}})
    assert (result.output, harness.clock.slept) == ("States.QueryEvaluationError", slept)


def test_a_catcher_that_fails_is_not_caught(harness: Any) -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.input.no %}", "Next": "E"}]
    task = {"Type": "Task", "Resource": "echo", "Arguments": "{% $states.input.no %}", "Catch": catch, "End": True}
    result = harness.run({"T": task, "E": {"Type": "Succeed"}})
    assert result.cause == (
        "An error occurred while executing the state 'T' (entered at the event id #2). The JSONata expression "
        "'$states.input.no' specified for the field 'Catch[0]/Output' returned nothing (undefined)."
    )


@pytest.mark.parametrize("name", ["States.ReferencePathConflict", "States.ResultPathMatchFailure", "States.ALL"])
def test_a_conflict_is_caught_by_its_name_and_by_its_documented_name(harness: Any, name: str) -> None:
    # Recorded, and developer guide, "Error names".
    state = {"Type": "Task", "Resource": "echo", "ResultPath": "$.a.b", "End": True}
    catch = [{"ErrorEquals": [name], "ResultPath": "$.error", "Next": "E"}]
    states = {"T": {**state, "Catch": catch}, "E": {"Type": "Succeed"}}
    result = harness.run(states, {"a": 1}, QueryLanguage="JSONPath")
    assert result.output["error"] == {
        "Error": "States.ReferencePathConflict",
        "Cause": 'Unable to apply ReferencePath $.a.b to input {"a":1}',
    }
