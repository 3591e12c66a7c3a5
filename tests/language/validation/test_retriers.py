"""Retry and Catch.

Messages: badmintoncryer/cdk-preflight, pf-sfn-asl-retry-catch; ranges: developer guide, concepts-error-handling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ALONE = "States.ALL must appear alone and at end of list"


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("Retry", {}, ["/Retry: Expected value of type [ARRAY]"]),
        ("Retry/0", "x", ["/Retry[0]: Expected value of type [OBJECT]"]),
        ("Retry/0/ErrorEquals", ..., ["/Retry[0]: These fields are required: [ErrorEquals]"]),
        ("Retry/0/ErrorEquals", [], ["/Retry[0]/ErrorEquals: Value cannot be empty"]),
        ("Retry/0/ErrorEquals", "States.ALL", ["/Retry[0]/ErrorEquals: Expected value of type [ARRAY]"]),
        ("Retry/0/ErrorEquals/1", 7, ["/Retry[0]/ErrorEquals[1]: Expected value of type [STRING]"]),
        ("Retry/0/ErrorEquals", ["States.ALL"], [f"/Retry[0]/ErrorEquals: {ALONE}"]),
        ("Retry/1/ErrorEquals", ["A", "States.ALL"], [f"/Retry[1]/ErrorEquals: {ALONE}"]),
        ("Retry/0/IntervalSeconds", 0, ["/Retry[0]/IntervalSeconds: Minimum value is 1"]),
        ("Retry/0/IntervalSeconds", 1.5, ["/Retry[0]/IntervalSeconds: Expected value of type [INTEGER]"]),
        ("Retry/1/IntervalSeconds", 100000000, ["/Retry[1]/IntervalSeconds: Maximum value is 99999999"]),
        ("Retry/0/MaxAttempts", -1, ["/Retry[0]/MaxAttempts: Minimum value is 0"]),
        ("Retry/0/MaxAttempts", 100000000, ["/Retry[0]/MaxAttempts: Maximum value is 99999999"]),
        ("Retry/0/BackoffRate", 0.9, ["/Retry[0]/BackoffRate: Minimum value is 1.0"]),
        ("Retry/0/BackoffRate", "2", ["/Retry[0]/BackoffRate: Expected value of type [NUMBER]"]),
        ("Retry/0/MaxDelaySeconds", 0, ["/Retry[0]/MaxDelaySeconds: Minimum value is 1"]),
        ("Retry/0/MaxDelaySeconds", 31622401, ["/Retry[0]/MaxDelaySeconds: Maximum value is 31622400"]),
        (
            "Retry/0/MaxDelaySeconds",
            2,
            ["/Retry[0]/MaxDelaySeconds: MaxDelaySeconds must be greater than IntervalSeconds, which is 2; found 2"],
        ),
        (
            "Retry/1/MaxDelaySeconds",
            1,
            ["/Retry[1]/MaxDelaySeconds: MaxDelaySeconds must be greater than IntervalSeconds, which is 1; found 1"],
        ),
        (
            "Retry/0/JitterStrategy",
            "HALF",
            ["/Retry[0]/JitterStrategy: Value should be one of the following: [NONE, FULL]"],
        ),
        ("Retry/0/Next", "E", ["/Retry[0]: Field 'Next' is not supported"]),
        ("Catch/0/MaxAttempts", 1, ["/Catch[0]: Field 'MaxAttempts' is not supported"]),
        ("Catch/0/ErrorEquals", ..., ["/Catch[0]: These fields are required: [ErrorEquals]"]),
        ("Catch/0/ErrorEquals", ["States.ALL", "A"], [f"/Catch[0]/ErrorEquals: {ALONE}"]),
        ("Catch/0", {"ErrorEquals": ["A"]}, ["/Catch[0]: These fields are required: [Next]"]),
        ("Catch/0/ResultPath", "$.a[*]", ["/Catch[0]/ResultPath: Value is not a Reference Path"]),
        (
            "Catch/0/Output",
            "{% 1 %}",
            [
                "/Catch[0]: The QueryLanguage is set to 'JSONPath', "
                "but field 'Output' is only supported for the 'JSONata' QueryLanguage"
            ],
        ),
    ],
)
def test_problems_of_retriers_and_catchers(
    check: Callable[..., list[str]], place: str, value: Any, expected: list[str]
) -> None:
    unreachable = '/States/E: MISSING_TRANSITION_TARGET: State "E" is not reachable.'
    lines = [line for line in check("jsonpath:retry and catch", f"States/S/{place}", value) if line != unreachable]
    assert lines == [f"/States/S{line}" for line in expected]


@pytest.mark.parametrize("field", ["Retry", "Catch"])
@pytest.mark.parametrize("name", ["pass", "wait", "choice", "succeed", "fail"])
def test_other_states_have_neither_retry_nor_catch(check: Callable[..., list[str]], name: str, field: str) -> None:
    expected = [f"/States/S: Field '{field}' is not supported"]
    assert check(f"jsonata:{name}", f"States/S/{field}", [{"ErrorEquals": ["A"], "Next": "S"}]) == expected


def test_only_a_catcher_reads_the_error_output(check: Callable[..., list[str]]) -> None:
    # floci-io/floci pull request 2786
    expected = ["/States/S/Output: UNSUPPORTED_JSONATA_EXPRESSION: Field '$states.errorOutput' does not exist."]
    assert check("jsonata:retry and catch", "States/S/Output", "{% $states.errorOutput.Cause %}") == expected
    assert check("jsonata:retry and catch", "States/S/Catch/0/Output", {"a": "{% $states.errorOutput %}"}) == []


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("pass", "States/S/Output"),  # radkawar/stackd dataflow_execution.json, validate-pass-reserved-result
        ("task", "States/S/Arguments"),
        ("retry and catch", "States/S/Catch/0/Output"),
    ],
)
def test_a_result_may_be_read_only_where_there_is_one(check: Callable[..., list[str]], name: str, place: str) -> None:
    expected = [
        f"/{place.replace('/0', '[0]')}: UNSUPPORTED_JSONATA_EXPRESSION: Field '$states.result' does not exist."
    ]
    assert check(f"jsonata:{name}", place, "{% $states.result %}") == expected
    assert check("jsonata:task", "States/S/Output", "{% $states.result %}") == []
