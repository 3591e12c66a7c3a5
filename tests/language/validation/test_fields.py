"""Fields of each state type. Source: badmintoncryer/cdk-preflight, pf-sfn-asl-state-fields, measured on AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

PATH = "Value must be a valid JSONPath."
NO_REFERENCE = "Value is not a Reference Path"
NOT_STARTED = "Value is not a Reference Path: Reference path didn't start with '$'"
WAIT = "[SecondsPath, Seconds, TimestampPath, Timestamp]"
TYPES = "[Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]"


def unknown(field: str) -> str:
    return f": Field '{field}' is not supported"


def test_a_state_without_a_type_is_not_terminal(check: Callable[..., list[str]]) -> None:
    # gabrielmoreira/tiny-asl-machine, AWS snapshot Validation.BasicStructure-001
    assert check("jsonpath:pass", "States/S/Type", ...) == [
        "/States/S: The field 'Type' is required",
        ": MISSING_END_STATE: Workflow has no terminal state",
    ]


@pytest.mark.parametrize(
    ("name", "place", "value", "expected"),
    [
        # localstack/localstack, test_state_name_invalid_state_definition
        ("jsonpath:pass", "Type", "Tsk", [f"/Type: The field 'Type' should have one of these values: {TYPES}"]),
        ("jsonpath:pass", "Type", "pass", [f"/Type: The field 'Type' should have one of these values: {TYPES}"]),
        ("jsonpath:pass", "Type", ["Pass"], ["/Type: Expected value of type [STRING]"]),
        ("jsonpath:pass", "Comment", 1, ["/Comment: Expected value of type [STRING]"]),
        ("jsonpath:pass", "comment", "c", [unknown("comment")]),
        ("jsonpath:pass", "Resource", "arn:aws:states:::sns:publish", [unknown("Resource")]),
        ("jsonpath:pass", "ResultSelector", {}, [unknown("ResultSelector")]),
        ("jsonpath:pass", "InputPath", "a", [f"/InputPath: {PATH}"]),
        ("jsonpath:pass", "InputPath", 1, ["/InputPath: Expected value of type [STRING, NULL]"]),
        ("jsonpath:pass", "OutputPath", "", [f"/OutputPath: {PATH}"]),
        ("jsonpath:pass", "ResultPath", "a", [f"/ResultPath: {NOT_STARTED}"]),
        ("jsonpath:pass", "ResultPath", "$.a..b", [f"/ResultPath: {NO_REFERENCE}"]),
        ("jsonpath:pass", "ResultPath", "$$.a", [f"/ResultPath: {NO_REFERENCE}"]),
        ("jsonpath:pass", "ResultPath", "$x", [f"/ResultPath: {NO_REFERENCE}"]),
        ("jsonpath:pass", "Assign", [], ["/Assign: Expected value of type [OBJECT]"]),
        ("jsonpath:succeed", "Result", 1, [unknown("Result")]),
        ("jsonpath:succeed", "ResultPath", "$", [unknown("ResultPath")]),
        ("jsonpath:succeed", "Assign", {}, [unknown("Assign")]),
        ("jsonpath:fail", "InputPath", "$", [unknown("InputPath")]),
        ("jsonata:fail", "Output", 1, [unknown("Output")]),
        ("jsonpath:fail", "Assign", {}, [unknown("Assign")]),
        ("jsonpath:fail", "Error", 1, ["/Error: Expected value of type [STRING]"]),
        ("jsonpath:fail", "Cause", {}, ["/Cause: Expected value of type [STRING]"]),
        (
            "jsonpath:fail",
            "ErrorPath",
            "$.e",
            [": There should only be one of the following fields: [Error, ErrorPath]"],
        ),
        (
            "jsonpath:fail",
            "CausePath",
            "$.e",
            [": There should only be one of the following fields: [Cause, CausePath]"],
        ),
        (
            "jsonpath:fail by path",
            "CausePath",
            "no reads",
            ["/CausePath: Value must be a valid JSONPath or a valid intrinsic function call"],
        ),
        ("jsonpath:fail by path", "ErrorPath", "$.e[*]", [f"/ErrorPath: {NO_REFERENCE}"]),
        ("jsonpath:wait seconds", "ResultPath", None, [unknown("ResultPath")]),
        ("jsonpath:wait seconds", "Parameters", {}, [unknown("Parameters")]),
        ("jsonpath:wait seconds", "Seconds", -1, ["/Seconds: Minimum value is 0"]),
        ("jsonpath:wait seconds", "Seconds", 100000000, ["/Seconds: Maximum value is 99999999"]),
        ("jsonpath:wait seconds", "Seconds", True, ["/Seconds: Expected value of type [INTEGER]"]),
        ("jsonpath:wait seconds", "Seconds", "{% 1 %}", ["/Seconds: Expected value of type [INTEGER]"]),
        (
            "jsonpath:wait seconds",
            "Seconds",
            ...,
            [f": This object should have only one of the following fields: {WAIT}"],
        ),
        (
            "jsonpath:wait seconds",
            "Timestamp",
            "2030-01-01T00:00:00Z",
            [f": There should only be one of the following fields: {WAIT}"],
        ),
        ("jsonpath:wait path", "SecondsPath", "s", [f"/SecondsPath: {NOT_STARTED}"]),
        ("jsonpath:wait path", "SecondsPath", 5, ["/SecondsPath: Expected value of type [STRING]"]),
        *(
            ("jsonata:wait timestamp", "Timestamp", timestamp, ["/Timestamp: String does not match RFC3339 timestamp"])
            for timestamp in (
                *("2030-01-01", "2030-01-01t00:00:00Z", "2030-01-01T00:00:00", "2030-01-01T00:00:00z", "soon"),
                *("2030-02-30T00:00:00Z", "2030-01-01T25:00:00Z"),
            )
        ),
        ("jsonpath:parallel", "Branches", ..., [": These fields are required: [Branches]"]),
        ("jsonpath:parallel", "Branches", [], ["/Branches: Value cannot be empty"]),
        ("jsonpath:parallel", "Branches", {}, ["/Branches: Expected value of type [ARRAY]"]),
        ("jsonpath:parallel", "Branches/0", 1, ["/Branches[0]: Expected value of type [OBJECT]"]),
        ("jsonpath:parallel", "Branches/1/StartAt", ..., ["/Branches[1]: These fields are required: [StartAt]"]),
        ("jsonpath:parallel", "Branches/1/QueryLanguage", "JSONata", [f"/Branches[1]{unknown('QueryLanguage')}"]),
        ("jsonpath:parallel", "Branches/1/TimeoutSeconds", 5, [f"/Branches[1]{unknown('TimeoutSeconds')}"]),
        ("jsonpath:parallel", "TimeoutSeconds", 5, [unknown("TimeoutSeconds")]),
        ("jsonpath:choice", "Choices", ..., [": These fields are required: [Choices]"]),
        ("jsonpath:choice", "Default", 1, ["/Default: Expected value of type [STRING]"]),
    ],
)
def test_problems_of_states(
    check: Callable[..., list[str]], name: str, place: str, value: Any, expected: list[str]
) -> None:
    assert check(name, f"States/S/{place}", value) == [f"/States/S{line}" for line in expected]


@pytest.mark.parametrize("kind", ["pass", "wait", "choice", "succeed", "fail", "map", "parallel"])
def test_only_a_task_has_a_timeout(check: Callable[..., list[str]], kind: str) -> None:
    # floci-io/floci issue 2735
    state, kind = ("M", kind) if kind == "map" else ("S", kind.replace("wait", "wait seconds"))
    for field in ("TimeoutSeconds", "HeartbeatSeconds"):
        expected = [f"/States/{state}: Field '{field}' is not supported"]
        assert check(f"jsonpath:{kind}", f"States/{state}/{field}", 5) == expected


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        # localstack/localstack, test_sfn_api_validation.snapshot.json
        ("StartAt", ..., ["/: These fields are required: [StartAt]"]),
        ("States", ..., ["/: These fields are required: [States]"]),
        ("StartAt", 1, ["/StartAt: Expected value of type [STRING]"]),
        ("States", [], ["/States: Expected value of type [OBJECT]"]),
        ("Version", "2.0", ["/Version: Value should be one of the following: [1.0]"]),
        ("Version", 1.0, ["/Version: Expected value of type [STRING]"]),
        ("TimeoutSeconds", 0, ["/TimeoutSeconds: Minimum value is 1"]),
        ("TimeoutSeconds", "{% 1 %}", ["/TimeoutSeconds: Expected value of type [INTEGER]"]),
        ("Parameters", {}, ["/: Field 'Parameters' is not supported"]),
        ("QueryLanguage", "JSONPath ", ["/QueryLanguage: Value should be one of the following: [JSONPath, JSONata]"]),
        ("QueryLanguage", 5, ["/QueryLanguage: Expected value of type [STRING]"]),
    ],
)
def test_problems_of_the_document(check: Callable[..., list[str]], place: str, value: Any, expected: list[str]) -> None:
    assert check("jsonpath:every comment", place, value) == expected
