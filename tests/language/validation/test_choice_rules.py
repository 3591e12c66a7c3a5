"""Choice rules. AWS's messages: badmintoncryer/cdk-preflight, pf-sfn-asl-choice-rules and -query-language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SELECT = "The object must have only one of the following fields, [And, Or, Not, Variable, Condition]"
IN_JSONATA = "The QueryLanguage is set to 'JSONata', but field '{}' is only supported for the 'JSONPath' QueryLanguage"
IN_JSONPATH = "The QueryLanguage is set to 'JSONPath', but field '{}' is only supported for the 'JSONata' QueryLanguage"
A = {"Variable": "$.a", "IsString": True}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], ["/States/S/Choices: Value cannot be empty"]),
        (["x"], ["/States/S/Choices[0]: Expected value of type [OBJECT]"]),
        ([A], ["/States/S/Choices[0]: These fields are required: [Next]"]),
        ([{"Next": "E"}], [f"/States/S/Choices[0]: {SELECT}"]),
        ([{**A, "Not": A, "Next": "E"}], [f"/States/S/Choices[0]: {SELECT}"]),
        (
            [{"Variable": "$.a", "Next": "E"}],
            ["/States/S/Choices[0]: This object should have only one comparison operator, found none"],
        ),
        (
            [{**A, "StringEquals": "x", "Next": "E"}],
            ["/States/S/Choices[0]: There should only be one of the following fields: [StringEquals, IsString]"],
        ),
        (
            [{"And": [A], "StringEquals": "x", "Next": "E"}],
            ["/States/S/Choices[0]: Field 'StringEquals' is not supported"],
        ),
        (
            [{**A, "StringStartsWith": "x", "Next": "E"}],
            ["/States/S/Choices[0]: Field 'StringStartsWith' is not supported"],
        ),
        (
            [{**A, "Condition": "{% true %}", "Next": "E"}],
            [f"/States/S/Choices[0]: {IN_JSONPATH.format('Condition')}", f"/States/S/Choices[0]: {SELECT}"],
        ),
        (
            [{"Variable": "a", "IsNull": True, "Next": "E"}],
            ["/States/S/Choices[0]/Variable: Value is not a Reference Path: Reference path didn't start with '$'"],
        ),
        (
            [{"Variable": "$.a[*]", "IsNull": True, "Next": "E"}],
            ["/States/S/Choices[0]/Variable: Value is not a Reference Path"],
        ),
        (
            [{"Variable": "$.a", "NumericEqualsPath": "b", "Next": "E"}],
            [
                "/States/S/Choices[0]/NumericEqualsPath: "
                "Value is not a Reference Path: Reference path didn't start with '$'"
            ],
        ),
        *(
            (
                [{"Variable": "$.a", operator: value, "Next": "E"}],
                [f"/States/S/Choices[0]/{operator}: Expected value of type [{kind}]"],
            )
            for operator, value, kind in (
                ("StringEquals", 1, "STRING"),
                ("StringMatches", None, "STRING"),
                ("NumericLessThan", "1", "NUMBER"),
                ("NumericGreaterThan", True, "NUMBER"),
                ("BooleanEquals", "true", "BOOLEAN"),
                ("BooleanEqualsPath", True, "STRING"),
                ("TimestampEquals", 0, "STRING"),
                ("IsPresent", "yes", "BOOLEAN"),
                ("IsTimestamp", 1, "BOOLEAN"),
            )
        ),
        (
            [{"Variable": "$.a", "TimestampLessThan": "2030-01-01", "Next": "E"}],
            ["/States/S/Choices[0]/TimestampLessThan: String does not match RFC3339 timestamp"],
        ),
        ([{"And": [], "Next": "E"}], ["/States/S/Choices[0]/And: Value cannot be empty"]),
        ([{"Or": A, "Next": "E"}], ["/States/S/Choices[0]/Or: Expected value of type [ARRAY]"]),
        ([{"Not": [A], "Next": "E"}], ["/States/S/Choices[0]/Not: Expected value of type [OBJECT]"]),
        ([{"And": ["x"], "Next": "E"}], ["/States/S/Choices[0]/And[0]: Expected value of type [OBJECT]"]),
        (
            [{"And": [A, {**A, "Next": "E"}], "Next": "E"}],
            ["/States/S/Choices[0]/And[1]: Field 'Next' is not supported"],
        ),
        (
            [{"Or": [{"Not": {**A, "Assign": {}}}], "Next": "E"}],
            ["/States/S/Choices[0]/Or[0]/Not: Field 'Assign' is not supported"],
        ),
        ([{"Not": {"Or": [{}]}, "Next": "E"}], [f"/States/S/Choices[0]/Not/Or[0]: {SELECT}"]),
    ],
)
def test_problems_of_jsonpath_rules(check: Callable[..., list[str]], value: Any, expected: list[str]) -> None:
    assert check("jsonpath:choice", "States/S/Choices", value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"Next": "E"}], [f"/States/S/Choices[0]: {SELECT}"]),
        ([{"Condition": "{% true %}"}], ["/States/S/Choices[0]: These fields are required: [Next]"]),
        (
            [{"Condition": "true", "Next": "E"}],
            ["/States/S/Choices[0]/Condition: Expected value of type [BOOLEAN]"],
        ),
        (
            [{"Condition": "{% 1 + %}", "Next": "E"}],
            ["/States/S/Choices[0]/Condition: INVALID_JSONATA_EXPRESSION: Unexpected end of expression"],
        ),
        (
            [{**A, "Next": "E"}],
            [
                f"/States/S/Choices[0]: {IN_JSONATA.format('Variable')}",
                f"/States/S/Choices[0]: {IN_JSONATA.format('IsString')}",
            ],
        ),
        ([{"And": [A], "Next": "E"}], [f"/States/S/Choices[0]: {IN_JSONATA.format('And')}"]),
    ],
)
def test_problems_of_jsonata_rules(check: Callable[..., list[str]], value: Any, expected: list[str]) -> None:
    assert check("jsonata:choice", "States/S/Choices", value) == expected
