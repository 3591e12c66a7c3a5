"""The syntax of paths: valid ones, and the problems of others."""

from __future__ import annotations

import pytest

from genomics_pipeline.language.jsonpath.path import check


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a.b", "a path must start with '$'"),
        ("", "a path must start with '$'"),
        ("$.a.length()", "functions such as length() are not supported"),
        ("$..a.sum()", "functions such as sum() are not supported"),
        ("$.a[?(length(@.b) > 1)]", "functions such as length() are not supported"),
        ("$.a[?(@.b =~ /x/)]", "filtering by regular expression is not supported"),
        ("$.a[?(@.b == $.c)]", "a filter cannot refer to another value, with '$'"),
        ("$.a[0:4:2]", "a slice cannot have a step"),
        ("$.a b", "a name with spaces must be in brackets and quotes"),
        ("$.", "expected a shorthand selector in '.'"),
        ("$.a[", "unexpected end of query in '['"),
        ("$.a[~]", "unexpected token '~' in '[~]'"),  # the library's own extensions
        ("$.a | $.b", "a name with spaces must be in brackets and quotes"),
        ("$.a|$.b", "a filter cannot refer to another value, with '$'"),
    ],
)
def test_check_reports_the_problem(text: str, problem: str) -> None:
    assert check(text) == problem


@pytest.mark.parametrize(
    "text", ["$", "$$", "$x", "$.a-b", "$.a[0]", "$..a", "$.a[?(@.b == '$' && @.c)]", "$['a.[b'].c", "$$.Execution.Id"]
)
def test_check_accepts_valid_paths(text: str) -> None:
    assert check(text) is None


MANY = 300_000  # characters: quadratic work would take minutes for each text


@pytest.mark.parametrize(
    "text",
    [
        "$['" + "x" * MANY,
        "$['" + r"\'" * (MANY // 2),
        '$["' + '\\"' * (MANY // 2) + "\\",
        "$[" + "x" * MANY,
        "$[?(@." + "x " * (MANY // 2),
        "$[" + " " * MANY,
        "$." + "." * MANY,
    ],
)
def test_parsing_is_linear(text: str) -> None:
    assert check(text) is not None


@pytest.mark.parametrize("text", [f"$[{'1' * 5000}]", f"$[?(@.a == {'1' * 5000})]", f"$[?(@.a == {'1' * 400})]"])
def test_enormous_numbers_are_refused(text: str) -> None:
    assert check(text) is not None
