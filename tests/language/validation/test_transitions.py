"""Transitions between states. AWS's messages: floci-io/floci pull request 2786, localstack/localstack issue 11978."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

MISSING = "MISSING_TRANSITION_TARGET: Missing 'Next' target:"
PASS = {"Type": "Pass", "End": True}
ONE_OF = "This object should have only one of the following fields: [Next, End]"
ONLY_ONE = "There should only be one of the following fields: [Next, End]"
NO_END = ": MISSING_END_STATE: Workflow has no terminal state"
LOST = '/States/E: MISSING_TRANSITION_TARGET: State "E" is not reachable.'


def unreachable(name: str) -> str:
    return f'MISSING_TRANSITION_TARGET: State "{name}" is not reachable.'


@pytest.mark.parametrize(
    ("name", "place", "value", "expected"),
    [
        ("jsonata:succeed", "StartAt", "No", [f"/StartAt: {MISSING} No", f"/States/S: {unreachable('S')}"]),
        ("jsonata:end false", "States/S/Next", "No", [f"/States/S/Next: {MISSING} No", LOST]),
        ("jsonata:end false", "States/S/Next", ..., [f"/States/S: {ONE_OF}"]),
        ("jsonata:end false", "States/E/End", ..., [f"/States/E: {ONE_OF}", NO_END]),
        ("jsonata:end false", "States/E/End", False, [f"/States/E: {ONE_OF}", NO_END]),
        ("jsonata:succeed", "States", {}, [f"/StartAt: {MISSING} S", "/States: Value cannot be empty", NO_END]),
        (
            "jsonata:end false",
            "States/S/End",
            True,
            [f"/States/S: {ONLY_ONE}"],
        ),
        (
            "jsonata:end false",
            "States/S/End",
            "yes",
            [f"/States/S: {ONLY_ONE}", "/States/S/End: Expected value of type [BOOLEAN]"],
        ),
        ("jsonata:end false", "States/S/Next", 1, ["/States/S/Next: Expected value of type [STRING]"]),
        ("jsonata:end false", "States/Lost", PASS, [f"/States/Lost: {unreachable('Lost')}"]),
        ("jsonata:end false", "States/Own", {"Type": "Pass", "Next": "Own"}, [f"/States/Own: {unreachable('Own')}"]),
        ("jsonata:end false", "States/S/Next", "S", [LOST]),
        ("jsonata:end false", "States/a~1b", PASS, [f"/States/a~1b: {unreachable('a~1b')}"]),
        ("jsonata:choice", "States/S/Default", "No", [f"/States/S/Default: {MISSING} No"]),
        ("jsonpath:choice", "States/S/Choices/1/Next", "No", [f"/States/S/Choices[1]/Next: {MISSING} No"]),
        ("jsonata:choice", "States/S/Next", "E", ["/States/S: Field 'Next' is not supported"]),
        ("jsonata:choice", "States/S/End", True, ["/States/S: Field 'End' is not supported"]),
        ("jsonata:succeed", "States/S/Next", "S", ["/States/S: Field 'Next' is not supported"]),
        ("jsonata:fail", "States/S/End", True, ["/States/S: Field 'End' is not supported"]),
        (
            "jsonpath:retry and catch",
            "States/S/Catch/0/Next",
            "No",
            [f"/States/S/Catch[0]/Next: {MISSING} No", LOST],
        ),
        (
            "jsonpath:parallel",
            "States/S/Branches/0/States/L",
            PASS,
            [f"/States/S/Branches[0]/States/L: {unreachable('L')}"],
        ),
        (
            "jsonpath:map",
            "States/M/ItemProcessor/StartAt",
            "No",
            [
                f"/States/M/ItemProcessor/StartAt: {MISSING} No",
                f"/States/M/ItemProcessor/States/P: {unreachable('P')}",
            ],
        ),
        (
            "jsonpath:iterator",
            "States/M/Iterator/StartAt",
            "M",
            [
                f"/States/M/Iterator/StartAt: {MISSING} M",
                f"/States/M/Iterator/States/P: {unreachable('P')}",
            ],
        ),
    ],
)
def test_problems_of_transitions(
    check: Callable[..., list[str]], name: str, place: str, value: Any, expected: list[str]
) -> None:
    assert check(name, place, value) == expected


def test_a_document_needs_a_terminal_state(check: Callable[..., list[str]]) -> None:
    loop = {"S": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "S"}}
    assert check("jsonata:succeed", "States", loop) == [NO_END]
    assert check("jsonata:succeed", "States", {**loop, "Unused": {"Type": "Pass", "Next": "S"}}) == [NO_END]
    assert check("jsonata:succeed", "States", {**loop, "C": PASS}) == [f"/States/C: {unreachable('C')}"]
    assert check("jsonata:succeed", "States", {"S": {"Type": "Pass", "Next": "NOPE"}}) == [
        f"/States/S/Next: {MISSING} NOPE",
        NO_END,
    ]


def test_next_of_a_succeed_is_refused_but_followed(check: Callable[..., list[str]]) -> None:
    # gabrielmoreira/tiny-asl-machine, AWS snapshot Validation.BasicStructure-003
    states = {"S": {"Type": "Succeed", "Next": "B"}, "B": PASS}
    assert check("jsonata:succeed", "States", states) == ["/States/S: Field 'Next' is not supported"]


def test_an_invalid_state_makes_no_other_unreachable(check: Callable[..., list[str]]) -> None:
    assert check("jsonata:end false", "States/S", 7) == ["/States/S: Expected value of type [OBJECT]"]
    assert check("jsonata:choice", "States/S/Choices", {}) == ["/States/S/Choices: Expected value of type [ARRAY]"]
