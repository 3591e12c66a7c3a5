"""Which language a state speaks. All measured on AWS: floci-io/floci issue 2968 and its tests; localstack/localstack,
test_sfn_api_validation.snapshot.json (INVALID_DOWNGRADE_QUERY_LANGUAGE).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

REVERTED = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
ENUM = "Value should be one of the following: [JSONPath, JSONata]"


def only(language: str, field: str, other: str) -> str:
    words = f"The QueryLanguage is set to '{language}', but field '{field}'"
    return f"{words} is only supported for the '{other}' QueryLanguage"


@pytest.mark.parametrize(
    ("name", "field"),
    [
        *(("pass", field) for field in ("InputPath", "OutputPath", "ResultPath", "Parameters", "Result")),
        *(("parallel", field) for field in ("Parameters", "ResultSelector", "ResultPath")),
        *(("fail by expression", field) for field in ("ErrorPath", "CausePath")),
        *(("task", field) for field in ("TimeoutSecondsPath", "HeartbeatSecondsPath")),
        *(("wait", field) for field in ("SecondsPath", "TimestampPath")),
    ],
)
def test_jsonpath_fields_in_jsonata(after: Callable[..., list[str]], name: str, field: str) -> None:
    told = after(f"jsonata:{name}", f"States/S/{field}", "$.a")
    assert told[0] == f"/States/S: {only('JSONata', field, 'JSONPath')}"
    assert not [line for line in told[1:] if not line.startswith("/States/S: There should only be one of")]


@pytest.mark.parametrize(("name", "field"), [("pass", "Output"), ("task", "Arguments"), ("parallel", "Arguments")])
def test_jsonata_fields_in_jsonpath(after: Callable[..., list[str]], name: str, field: str) -> None:
    expected = [f"/States/S: {only('JSONPath', field, 'JSONata')}"]
    assert after(f"jsonpath:{name}", f"States/S/{field}", "{% bad") == expected


def test_a_state_cannot_go_back_to_jsonpath(after: Callable[..., list[str]]) -> None:
    for name in ("jsonata:pass", "jsonata:succeed", "jsonata:fail"):  # whatever other fields it has
        assert after(name, "States/S/QueryLanguage", "JSONPath") == [f"/States/S: {REVERTED}"]
    place = "States/M"
    state = {"Type": "Map", "QueryLanguage": "JSONPath", "MaxConcurrency": -1, "End": True}
    inner = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    assert after("jsonata:map", place, {**state, "ItemProcessor": inner}) == [
        f"/States/M: {REVERTED}",
        "/States/M/MaxConcurrency: Minimum value is 0",
    ]


@pytest.mark.parametrize("spoken", ["jsonata", "jsonpath", "foo"])
def test_any_other_word_counts_as_jsonata(after: Callable[..., list[str]], spoken: str) -> None:
    state = {"Type": "Pass", "QueryLanguage": spoken, "End": True}
    wrong = f"/States/S/QueryLanguage: {ENUM}"
    assert after("jsonpath:pass", "States/S", {**state, "Output": "{% 1 %}"}) == [wrong]
    assert after("jsonpath:pass", "States/S", {**state, "InputPath": "$.a"}) == [
        f"/States/S: {only('JSONata', 'InputPath', 'JSONPath')}",
        wrong,
    ]
    assert after("jsonata:pass", "States/S", state) == [wrong]
    assert after("jsonata:pass", "QueryLanguage", spoken) == [f"/QueryLanguage: {ENUM}"]


def test_no_string_counts_as_jsonata_too(after: Callable[..., list[str]]) -> None:
    state = {"Type": "Pass", "QueryLanguage": 5, "InputPath": "$.a", "End": True}
    assert after("jsonpath:pass", "States/S", state) == [
        f"/States/S: {only('JSONata', 'InputPath', 'JSONPath')}",
        "/States/S/QueryLanguage: Expected value of type [STRING]",
    ]


def test_a_maps_language_is_not_that_of_the_states_within(after: Callable[..., list[str]]) -> None:
    state: Any = {"Type": "Pass", "Output": "{% 1 %}", "End": True}
    place = "States/M/ItemProcessor/States/P"
    expected = [f"/{place}: {only('JSONPath', 'Output', 'JSONata')}"]
    assert after("jsonpath:a jsonata map over jsonpath states", place, state) == expected
    assert after("jsonpath:map", place, state) == expected
    assert after("jsonpath:map", place, {**state, "QueryLanguage": "JSONata"}) == []
    assert after("jsonata:map", place, state) == []
