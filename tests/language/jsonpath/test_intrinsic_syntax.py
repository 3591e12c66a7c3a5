"""The syntax of intrinsic functions, and its problems."""

from __future__ import annotations

import pytest

from genomics_pipeline.language.jsonpath.intrinsics import check, is_intrinsic


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("States.Foo(1)", "unknown intrinsic function States.Foo"),
        ("States.Array($.a.sum())", "'$.a.sum()': functions such as sum() are not supported"),
        ("States.Array(1", "expected ')' at character 15 of 'States.Array(1'"),
        ("States.Array(1) 2", "unexpected text at character 17 of 'States.Array(1) 2'"),
        ("States.", "expected the name of an intrinsic function at character 1 of 'States.'"),
        ("States.Array", "expected '(' at character 13 of 'States.Array'"),
        (
            "States.Array(1, )",
            "expected a path, a call, a number, true, false, null, or a string in single quotes at character 17 of "
            "'States.Array(1, )'",
        ),
        # Other escapes are refused: localstack escape_sequences_illegal_intrinsic_function.json5
        (
            r"""States.Array('\"')""",
            "expected a path, a call, a number, true, false, null, or a string in single quotes at character 14 of "
            r"""'States.Array('\"')'""",
        ),
        (
            "States.Array(" + ", ".join(["States.UUID()"] * 10) + ")",
            "a field has at most 10 intrinsic functions, not 11",
        ),
    ],
)
def test_check_reports_the_problem(text: str, problem: str) -> None:
    assert check(text) == problem


def test_arguments_are_counted_only_in_a_call() -> None:
    # gabrielmoreira/tiny-asl-machine, AWS snapshots States.MathAdd-021, States.StringToJson-018: created, then fails
    assert check("States.Array(States.MathAdd(1), States.StringToJson())") is None


def test_is_intrinsic() -> None:
    assert is_intrinsic("States.UUID()")
    assert not is_intrinsic("$.States.x")
    assert not is_intrinsic("states.UUID()")


@pytest.mark.parametrize("number", ["1" * 5000, "1e999", "-1.5e999"])
def test_enormous_numbers_are_refused(number: str) -> None:
    text = f"States.Array({number})"
    place = len(text)
    assert check(text) == f"expected a smaller number at character {place} of '{text}'"
