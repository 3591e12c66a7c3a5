"""The state types: documents with their inputs and expected results."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from genomics_pipeline.language.errors import StatesError


def expression(text: str) -> str:
    return "{% " + text + " %}"


PASS_END = {"Type": "Pass", "End": True}


def test_pass_outputs_its_input_unless_it_has_an_output(harness: Any) -> None:
    assert harness.run({"A": PASS_END}, {"x": [1, None]}).output == {"x": [1, None]}
    harness.journal = harness.journal / "b"
    assert harness.run({"A": {**PASS_END, "Output": {"y": expression("$states.input.x + 1")}}}, {"x": 1}).output == {
        "y": 2
    }


def test_assigned_variables_are_seen_by_later_states_and_not_by_output_beside_them(harness: Any) -> None:
    states = {
        "A": {"Type": "Pass", "Assign": {"n": 1}, "Next": "B"},
        "B": {"Type": "Pass", "Assign": {"n": expression("$n + 1")}, "Output": expression("$n"), "Next": "C"},
        "C": {**PASS_END, "Output": {"before": expression("$states.input"), "now": expression("$n")}},
    }
    result = harness.run(states)
    assert result.output == {"before": 1, "now": 2}
    assert result.transitions == 3


@pytest.mark.parametrize(("x", "expected"), [(1, "one"), (2, {"two": 2}), (3, {"x": 3})])
def test_choice_follows_the_first_rule_that_matches(harness: Any, x: int, expected: Any) -> None:
    states = {
        "A": {
            "Type": "Choice",
            "Choices": [
                {"Condition": expression("$states.input.x = 1"), "Output": "one", "Next": "End"},
                {"Condition": expression("$states.input.x <= 2"), "Assign": {"n": 2}, "Next": "Two"},
            ],
            "Default": "End",
        },
        "Two": {**PASS_END, "Output": {"two": expression("$n")}},
        "End": {"Type": "Succeed"},
    }
    assert harness.run(states, {"x": x}).output == expected


def test_choice_without_a_match_fails(harness: Any) -> None:
    rule = {"Condition": expression("false"), "Next": "B"}
    result = harness.run({"A": {"Type": "Choice", "Choices": [rule]}, "B": {"Type": "Succeed"}})
    # radkawar/stackd testdata/aws/stepfunctions/dataflow_execution.json, choice-no-match
    assert (result.status, result.error, result.cause) == (
        "FAILED",
        "States.Runtime",
        "An error occurred while executing the state 'A' (entered at the event id #2). "
        "Failed to transition out of the state. The state does not point to a next state.",
    )


def test_a_condition_must_be_a_boolean(harness: Any) -> None:
    rule = {"Condition": expression("'yes'"), "Next": "B"}
    result = harness.run({"A": {"Type": "Choice", "Choices": [rule]}, "B": {"Type": "Succeed"}})
    assert result.error == "States.QueryEvaluationError"
    assert result.cause == (
        "An error occurred while executing the state 'A' (entered at the event id #2). "
        "The JSONata expression ''yes'' specified for the field 'Choices[0]/Condition' "
        "returned an unexpected result type. Expected 'boolean', but was 'string' for value: \"yes\""
    )


def test_fail_evaluates_error_and_cause(harness: Any) -> None:
    result = harness.run(
        {"A": {"Type": "Fail", "Error": "Bad", "Cause": expression("'for ' & $states.input.who")}}, {"who": "S1"}
    )
    assert (result.status, result.output, result.error, result.cause) == ("FAILED", None, "Bad", "for S1")


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        ({"Seconds": 7}, 7),
        ({"Seconds": expression("$states.input.s")}, 3),
        ({"Timestamp": "2001-09-09T01:46:50Z"}, 10),
        ({"Timestamp": "1999-01-01T00:00:00Z"}, 0),
        ({"Timestamp": expression("$fromMillis($states.input.s * 1000)")}, 0),
    ],
)
def test_wait_sleeps_for_seconds_or_until_a_timestamp(harness: Any, wait: dict[str, Any], seconds: float) -> None:
    harness.run({"A": {"Type": "Wait", **wait, "End": True}}, {"s": 3})
    assert harness.clock.slept == [seconds]


def test_a_task_receives_its_arguments_and_output_sees_the_result(harness: Any) -> None:
    task = {
        "Type": "Task",
        "Resource": "echo",
        "Arguments": {"a": expression("$states.input.x")},
        "Output": expression("$states.result.a & '!'"),
        "End": True,
    }
    assert harness.run({"T": task}, {"x": "é"}).output == "é!"
    assert harness.calls == [{"a": "é"}]


def test_a_task_without_arguments_receives_its_input(harness: Any) -> None:
    assert harness.run({"T": {"Type": "Task", "Resource": "echo", "End": True}}, {"x": 1}).output == {"x": 1}


def test_the_context_object_describes_the_execution_and_the_state(harness: Any) -> None:
    # localstack context_object/test_context_object.snapshot.json, test_input_path[$$]
    result = harness.run({"A": {**PASS_END, "Output": expression("$states.context")}}, {"x": 1})
    assert result.output == {
        "Execution": {
            "Id": "arn:aws:states:us-east-1:000000000000:execution:machine:run-1",
            "Input": {"x": 1},
            "Name": "run-1",
            "RoleArn": "arn:aws:iam::000000000000:role/local",
            "StartTime": "2001-09-09T01:46:40.000Z",
            "RedriveCount": 0,
        },
        "State": {"Name": "A", "EnteredTime": "2001-09-09T01:46:40.000Z"},
        "StateMachine": {"Id": "arn:aws:states:us-east-1:000000000000:stateMachine:machine", "Name": "machine"},
    }


def test_parallel_outputs_the_branches_outputs_and_their_variables_stay_inside(harness: Any) -> None:
    branches = [
        {
            "StartAt": "L",
            "States": {"L": {**PASS_END, "Assign": {"m": 5}, "Output": expression("$n + $states.input.x")}},
        },
        {
            "StartAt": "R",
            "States": {"R": {"Type": "Task", "Resource": "echo", "Arguments": expression("$n"), "End": True}},
        },
    ]
    states = {
        "V": {"Type": "Pass", "Assign": {"n": 1}, "Next": "P"},
        "P": {"Type": "Parallel", "Arguments": {"x": 10}, "Branches": branches, "Next": "E"},
        "E": {**PASS_END, "Output": {"branches": expression("$states.input"), "m": expression("$exists($m)")}},
    }
    assert harness.run(states).output == {"branches": [11, 1], "m": False}


def test_a_failing_branch_cancels_the_others_and_is_caught(harness: Any) -> None:
    cancelled = []

    async def forever(arguments: Any, context: Any) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(arguments)
            raise

    branches = [
        {"StartAt": "L", "States": {"L": {"Type": "Task", "Resource": "forever", "Arguments": 1, "End": True}}},
        {"StartAt": "R", "States": {"R": {"Type": "Fail", "Error": "Bad", "Cause": "why"}}},
    ]
    catch = [{"ErrorEquals": ["Bad"], "Assign": {"e": expression("$states.errorOutput.Cause")}, "Next": "E"}]
    states = {
        "P": {"Type": "Parallel", "Branches": branches, "Catch": catch, "End": True},
        "E": {**PASS_END, "Output": [expression("$states.input"), expression("$e")]},
    }
    result = harness.run(states, tasks={"forever": forever})
    assert result.output == [{"Error": "Bad", "Cause": "why"}, "why"]
    assert cancelled == [1]


def test_an_inline_map_iterates_over_an_array_or_an_object(harness: Any) -> None:
    def over(items: str) -> dict[str, Any]:
        return {
            "M": {
                "Type": "Map",
                "Items": expression(items),
                "ItemSelector": {
                    "i": expression("$states.context.Map.Item.Index"),
                    "of": expression("$states.input.name"),
                },
                "MaxConcurrency": 2,
                "ItemProcessor": {
                    "StartAt": "P",
                    "States": {
                        "P": {
                            **PASS_END,
                            "Output": {
                                "in": expression("$states.input"),
                                "value": expression("$states.context.Map.Item.Value"),
                                "n": expression("$n"),
                            },
                        }
                    },
                },
                "End": True,
            }
        }

    first = {"V": {"Type": "Pass", "Assign": {"n": 1}, "Next": "M"}}
    result = harness.run({**first, **over("[7, 8, 9]")}, {"name": "x"})
    assert result.output == [
        {"in": {"i": index, "of": "x"}, "value": value, "n": 1} for index, value in enumerate([7, 8, 9])
    ]
    harness.journal = harness.journal / "object"
    result = harness.run({**first, **over("{'a': 7}")}, {"name": "x"})
    assert result.output == [{"in": {"i": 0, "of": "x"}, "value": 7, "n": 1}]


def test_max_concurrency_limits_the_iterations_of_an_inline_map(harness: Any) -> None:
    running, most = 0, 0

    async def busy(arguments: Any, context: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(3):
            await asyncio.sleep(0)
        running -= 1
        return arguments

    processor = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "busy", "End": True}}}
    state = {"Type": "Map", "Items": list(range(9)), "MaxConcurrency": 3, "ItemProcessor": processor, "End": True}
    assert harness.run({"M": state}, tasks={"busy": busy}).output == list(range(9))
    assert most == 3


def test_a_task_that_times_out_fails_with_states_timeout(harness: Any) -> None:
    async def forever(arguments: Any, context: Any) -> None:
        await asyncio.Event().wait()

    catch = [
        {"ErrorEquals": ["States.TaskFailed"], "Next": "Wrong"},
        {"ErrorEquals": ["States.Timeout"], "Output": expression("$states.errorOutput.Cause"), "Next": "Right"},
    ]
    states = {
        "T": {"Type": "Task", "Resource": "forever", "TimeoutSeconds": 5, "Catch": catch, "End": True},
        "Wrong": {"Type": "Fail"},
        "Right": {"Type": "Succeed"},
    }
    harness.fast_forward = True
    result = harness.run(states, tasks={"forever": forever})
    assert result.output == ""


def test_an_execution_that_times_out_has_the_status_timed_out(harness: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    timeout = asyncio.timeout
    monkeypatch.setattr(asyncio, "timeout", lambda seconds: timeout(seconds and seconds / 100))

    async def forever(arguments: Any, context: Any) -> None:
        await asyncio.Event().wait()

    task = {"Type": "Task", "Resource": "forever", "End": True}
    result = harness.run({"T": task}, tasks={"forever": forever}, TimeoutSeconds=1)
    assert (result.status, result.error) == ("TIMED_OUT", "States.Timeout")


def test_a_failed_expression_of_a_task_can_be_caught(harness: Any) -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Output": expression("$states.errorOutput.Error"), "Next": "E"}]
    task = {"Type": "Task", "Resource": "echo", "Arguments": {"a": expression("$states.input.no")}, "Catch": catch}
    result = harness.run({"T": {**task, "End": True}, "E": {"Type": "Succeed"}})
    assert result.output == "States.QueryEvaluationError"


@pytest.mark.parametrize("error", ["States.Runtime", "States.DataLimitExceeded"])
def test_states_all_does_not_catch_terminal_errors(harness: Any, error: str) -> None:
    async def fails(arguments: Any, context: Any) -> None:
        raise StatesError(error, "no")

    catch = [{"ErrorEquals": ["States.ALL"], "Next": "E"}]
    retry = [{"ErrorEquals": ["States.ALL"]}]
    task = {"Type": "Task", "Resource": "fails", "Catch": catch, "Retry": retry, "End": True}
    result = harness.run({"T": task, "E": {"Type": "Succeed"}}, tasks={"fails": fails})
    assert (result.status, result.error) == ("FAILED", error)
