"""References in expressions that AWS refuses before a definition runs."""

from __future__ import annotations

import pytest

from genomics_pipeline.language.jsonata.references import unsupported_references

FIELDS = ("input", "context")


# Measured with ValidateStateMachineDefinition: floci-io/floci, JsonataTopLevelReferencesTest and the integration tests
# beside it; iwamot/sfnx, tests/test_testing.py; recorded: gabrielmoreira/tiny-asl-machine,
# Feature.JSONataValidation-002.
@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("phone", ["Reference to 'phone' at the top level is not supported."]),
        ("$.phone", ["Reference to '$' at the top level is not supported."]),
        ("$$", ["Reference to '$$' is not supported."]),
        (
            "aaa + bbb",
            [
                "Reference to 'aaa' at the top level is not supported.",
                "Reference to 'bbb' at the top level is not supported.",
            ],
        ),
        ("{aaa: 1}", ["Reference to 'aaa' at the top level is not supported."]),
        (
            "$map($states.input.a, function($x){ b })",
            ["Reference to 'b' at the top level is not supported."],
        ),
        ("$states.errorOutput.Cause", ["Field '$states.errorOutput' does not exist."]),
        ("$count([$states.result])", ["Field '$states.result' does not exist."]),
        ("$states.`result`[0]", ["Field '$states.result' does not exist."]),
        ("$states.input.items[phone > 3]", []),
        ("$map($states.input.a, function($x){ $x.phone })", []),
        ("$states.input.items.($ & phone)", []),
        ("($states).result", []),
        ("$states.input.x.$states.qux", []),
        ("[$states, $states.input, $states.context]", []),
        ("'$states.result'", []),
        ("$phone", []),
        ("$x := function($n){ $n ? $x($n - 1) : m }", ["Reference to 'm' at the top level is not supported."]),
        ("$states.input^(x, >$$){k: v}[w] ~> |q|{'a': u}|", ["Reference to '$$' is not supported."]),
    ],
)
def test_unsupported_references(text: str, problems: list[str]) -> None:
    assert unsupported_references(text, FIELDS) == problems


def test_a_result_may_be_read_where_there_is_one() -> None:
    assert unsupported_references("$states.result", (*FIELDS, "result")) == []
