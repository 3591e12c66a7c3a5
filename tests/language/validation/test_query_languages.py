"""Query languages of states.

Measured on AWS: floci-io/floci issue 2968 and its tests; localstack/localstack, test_sfn_api_validation.snapshot.json
(INVALID_DOWNGRADE_QUERY_LANGUAGE).
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
def test_jsonpath_fields_are_refused_in_jsonata(check: Callable[..., list[str]], name: str, field: str) -> None:
    lines = check(f"jsonata:{name}", f"States/S/{field}", "$.a")
    assert lines[0] == f"/States/S: {only('JSONata', field, 'JSONPath')}"
    assert not [line for line in lines[1:] if not line.startswith("/States/S: There should only be one of")]


@pytest.mark.parametrize(("name", "field"), [("pass", "Output"), ("task", "Arguments"), ("parallel", "Arguments")])
def test_jsonata_fields_are_refused_in_jsonpath(check: Callable[..., list[str]], name: str, field: str) -> None:
    expected = [f"/States/S: {only('JSONPath', field, 'JSONata')}"]
    assert check(f"jsonpath:{name}", f"States/S/{field}", "{% bad") == expected


def test_a_state_of_a_jsonata_machine_cannot_use_jsonpath(check: Callable[..., list[str]]) -> None:
    for name in ("jsonata:pass", "jsonata:succeed", "jsonata:fail"):  # whatever its other fields
        assert check(name, "States/S/QueryLanguage", "JSONPath") == [f"/States/S: {REVERTED}"]
    place = "States/M"
    state = {"Type": "Map", "QueryLanguage": "JSONPath", "MaxConcurrency": -1, "End": True}
    inner = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    assert check("jsonata:map", place, {**state, "ItemProcessor": inner}) == [
        f"/States/M: {REVERTED}",
        "/States/M/MaxConcurrency: Minimum value is 0",
    ]


@pytest.mark.parametrize("language", ["jsonata", "jsonpath", "foo"])
def test_an_unknown_query_language_counts_as_jsonata(check: Callable[..., list[str]], language: str) -> None:
    state = {"Type": "Pass", "QueryLanguage": language, "End": True}
    wrong = f"/States/S/QueryLanguage: {ENUM}"
    assert check("jsonpath:pass", "States/S", {**state, "Output": "{% 1 %}"}) == [wrong]
    assert check("jsonpath:pass", "States/S", {**state, "InputPath": "$.a"}) == [
        f"/States/S: {only('JSONata', 'InputPath', 'JSONPath')}",
        wrong,
    ]
    assert check("jsonata:pass", "States/S", state) == [wrong]
    assert check("jsonata:pass", "QueryLanguage", language) == [f"/QueryLanguage: {ENUM}"]


def test_a_value_of_another_type_counts_as_jsonata(check: Callable[..., list[str]]) -> None:
    state = {"Type": "Pass", "QueryLanguage": 5, "InputPath": "$.a", "End": True}
    assert check("jsonpath:pass", "States/S", state) == [
        f"/States/S: {only('JSONata', 'InputPath', 'JSONPath')}",
        "/States/S/QueryLanguage: Expected value of type [STRING]",
    ]


def test_a_maps_query_language_does_not_apply_to_its_states(check: Callable[..., list[str]]) -> None:
    state: Any = {"Type": "Pass", "Output": "{% 1 %}", "End": True}
    place = "States/M/ItemProcessor/States/P"
    expected = [f"/{place}: {only('JSONPath', 'Output', 'JSONata')}"]
    assert check("jsonpath:a jsonata map over jsonpath states", place, state) == expected
    assert check("jsonpath:map", place, state) == expected
    assert check("jsonpath:map", place, {**state, "QueryLanguage": "JSONata"}) == []
    assert check("jsonata:map", place, state) == []
