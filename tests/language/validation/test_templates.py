"""Payload templates, JSONata expressions and names of variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

INVALID = "INVALID_JSONATA_EXPRESSION"
UNSUPPORTED = "UNSUPPORTED_JSONATA_EXPRESSION"
OUTPUT = "/States/S/Output"


def at_top(name: str) -> str:
    return f"{UNSUPPORTED}: Reference to '{name}' at the top level is not supported."


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # floci-io/floci issue 2745 and pull request 2786, all measured on AWS
        ("a[1,2)", f'{INVALID}: Expected "]", got ","'),
        ('"unterminated', f"{INVALID}: String literal must be terminated by a matching quote"),
        ("1 +", f"{INVALID}: Unexpected end of expression"),
        ('{"a":}', f'{INVALID}: The symbol "}}" cannot be used as a unary operator'),
        ("$x :=", f"{INVALID}: Unexpected end of expression"),
        ('$match("a", /abc', f"{INVALID}: No terminating / in regular expression"),
        ("", f"{INVALID}: Unexpected end of expression"),
        # floci-io/floci, StepFunctionsValidateStateMachineDefinitionIntegrationTest.java: also measured
        ("phone %.other", f'{INVALID}: The symbol "." cannot be used as a unary operator'),
        ('[1 "zz at /States/GHOST"]', f'{INVALID}: Expected "]", got "zz at /States/GHOST"'),
        ("$$", f"{UNSUPPORTED}: Reference to '$$' is not supported."),
        ("$states.errorOutput", f"{UNSUPPORTED}: Field '$states.errorOutput' does not exist."),
        ("$states.errorOutput.Cause", f"{UNSUPPORTED}: Field '$states.errorOutput' does not exist."),
        # floci-io/floci pull request 2699
        ("phone", at_top("phone")),
        ("phone.number", at_top("phone")),
        ("$", at_top("$")),
        ("1 + phone", at_top("phone")),
        ("-phone", at_top("phone")),
        ("[1, phone]", at_top("phone")),
        ("{aaa: 1}", at_top("aaa")),
        ("$map($states.input.a, function($x){ b })", at_top("b")),
        ("phone ~> $string", at_top("phone")),
        ("true ? phone : 1", at_top("phone")),
        ("(phone)", at_top("phone")),
        ("$x := phone", at_top("phone")),
        ("$f(?, phone)", at_top("phone")),
        ("phone & phone", at_top("phone")),
    ],
)
def test_problems_of_expressions(check: Callable[..., list[str]], expression: str, expected: str) -> None:
    assert check("jsonata:pass", "States/S/Output", f"{{% {expression} %}}") == [f"{OUTPUT}: {expected}"]


def test_every_unsupported_name_is_reported_once(check: Callable[..., list[str]]) -> None:
    lines = check("jsonata:pass", "States/S/Output", "{% a & b & a %}")
    assert lines == [f"{OUTPUT}: {at_top('a')}", f"{OUTPUT}: {at_top('b')}"]


def test_problems_have_the_path_to_the_expression(check: Callable[..., list[str]]) -> None:
    template = {"v": "{% 1 + %}", "w": [1, {"x": "{% phone %}"}], "plain": "phone", "y": "{% 1"}
    assert check("jsonata:pass", "States/S/Output", template) == [
        f"{OUTPUT}/v: {INVALID}: Unexpected end of expression",
        f"{OUTPUT}/w[1]/x: {at_top('phone')}",
        f"{OUTPUT}/y: JSONata string must start with {{% and end with %}}",
    ]
    assert check("jsonata:pass", "States/S/Output", "{%}") == [
        f"{OUTPUT}: JSONata string must start with {{% and end with %}}"
    ]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ({"a.$": "x"}, ["a.$"]),
        ({"a.$": 1}, ["a.$"]),
        ({"a.$": None}, ["a.$"]),
        ({"a.$": {"b": "$.c"}}, ["a.$"]),
        ({"a.$": "States.Format('{}'"}, ["a.$"]),
        ({"a": [{"b": {"c.$": "c"}}], "d.$": "d"}, ["d.$", "c.$"]),
        ({"a.$": "$.a", "b.$": "$$.Execution", "c.$": "$x[0].y", "d.$": "States.UUID()", "e": "e"}, []),
    ],
)
def test_problems_of_payload_templates(check: Callable[..., list[str]], template: Any, expected: list[str]) -> None:
    # aws-cloudformation/cfn-lint issue 4085: the location is the field that contains the template.
    words = "must be a valid JSONPath or a valid intrinsic function call"
    assert check("jsonpath:pass", "States/S/Parameters", template) == [
        f"/States/S/Parameters: The value for the field '{field}' {words}" for field in expected
    ]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("states", "RESERVED_VARIABLE_NAME: Cannot assign to reserved variable '$states'."),
        *(
            (
                name,
                f"INVALID_VARIABLE_NAME: Invalid variable name '{name}': "
                "the variable name contains invalid characters.",
            )
            for name in ("", "a b", "a-b", "1a", "_a", "$a")
        ),
        (
            "x" * 81,
            f"INVALID_VARIABLE_NAME: Invalid variable name '{'x' * 81}': the variable name exceeds 80 characters.",
        ),
    ],
)
def test_problems_of_variable_names(check: Callable[..., list[str]], name: str, problem: str) -> None:
    # badmintoncryer/cdk-preflight, pf-sfn-asl-jsonpath-syntax
    for language in ("jsonata", "jsonpath"):
        expected = [f"/States/S/Assign/{name}: {problem}"]
        assert check(f"{language}:pass", "States/S/Assign", {name: 1}) == expected
    assert check("jsonpath:pass", "States/S/Assign", {f"{name}.$": "$.a"}) == [f"/States/S/Assign/{name}.$: {problem}"]


def test_deeply_nested_intrinsic_functions_are_a_problem(check: Callable[..., list[str]]) -> None:
    lines = check("jsonpath:pass", "States/S/Parameters", {"a.$": "States.Array(" * 5000})
    assert lines == [
        "/States/S/Parameters: The value for the field 'a.$' "
        "must be a valid JSONPath or a valid intrinsic function call"
    ]
