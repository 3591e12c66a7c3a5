"""Choice rules in JSONPath.

Semantics: States Language, "Choice State"; cause of a missing path: recorded on AWS, localstack
tests/aws/services/stepfunctions/v2/choice_operators and v2/base.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.jsonpath.choice_rule import matches
from genomics_pipeline.language.jsonpath.scope import PathScope

EARLY, LATE = "2024-01-01T00:00:00Z", "2024-01-01T01:30:00+01:00"


def holds(value: Any, comparison: dict[str, Any], **other: Any) -> bool:
    return matches({"Variable": "$.v", **comparison}, PathScope({"v": value, **other}), "Choices[0]/")


@pytest.mark.parametrize(
    ("value", "comparison", "expected"),
    [
        ("a", {"StringEquals": "a"}, True),
        ("a", {"StringEquals": "A"}, False),
        (1, {"StringEquals": "1"}, False),
        ("a", {"StringLessThan": "b"}, True),
        ("b", {"StringLessThan": "b"}, False),
        ("b", {"StringLessThanEquals": "b"}, True),
        ("c", {"StringGreaterThan": "b"}, True),
        ("b", {"StringGreaterThanEquals": "b"}, True),
        ("a.log", {"StringMatches": "*.log"}, True),
        ("a.logs", {"StringMatches": "*.log"}, False),
        ("a\nb.log", {"StringMatches": "a*.log"}, True),
        ("a*b", {"StringMatches": r"a\*b"}, True),
        ("axb", {"StringMatches": r"a\*b"}, False),
        ("a\\b", {"StringMatches": r"a\\b"}, True),
        ("a.b", {"StringMatches": "a?b"}, False),
        (1, {"StringMatches": "*"}, False),
        (1, {"NumericEquals": 1.0}, True),
        ("1", {"NumericEquals": 1}, False),
        (True, {"NumericEquals": 1}, False),
        (1, {"NumericLessThan": 1.5}, True),
        (2, {"NumericGreaterThan": 1}, True),
        (1, {"NumericLessThanEquals": 1}, True),
        (1, {"NumericGreaterThanEquals": 1}, True),
        (True, {"BooleanEquals": True}, True),
        ("true", {"BooleanEquals": True}, False),
        (1, {"BooleanEquals": True}, False),
        (EARLY, {"TimestampEquals": "2024-01-01T01:00:00+01:00"}, True),
        (EARLY, {"TimestampLessThan": LATE}, True),
        (LATE, {"TimestampGreaterThan": EARLY}, True),
        (EARLY, {"TimestampLessThanEquals": EARLY}, True),
        (EARLY, {"TimestampGreaterThanEquals": LATE}, False),
        ("2024-01-01", {"TimestampEquals": "2024-01-01"}, False),
        (None, {"IsNull": True}, True),
        (0, {"IsNull": True}, False),
        (0, {"IsNull": False}, True),
        ("", {"IsString": True}, True),
        (1.5, {"IsNumeric": True}, True),
        (True, {"IsNumeric": True}, False),
        (False, {"IsBoolean": True}, True),
        (EARLY, {"IsTimestamp": True}, True),
        ("2024-01-01t00:00:00Z", {"IsTimestamp": True}, False),
        ("2024-13-01T00:00:00Z", {"IsTimestamp": True}, False),
        (None, {"IsPresent": True}, True),
        (None, {"IsPresent": False}, False),
    ],
)
def test_comparisons(value: Any, comparison: dict[str, Any], expected: bool) -> None:
    assert holds(value, comparison) is expected


@pytest.mark.parametrize(
    ("value", "name", "other", "expected"),
    [
        ("a", "StringEqualsPath", "a", True),
        (2, "NumericGreaterThanPath", 1, True),
        (2, "NumericGreaterThanPath", "1", False),
        (True, "BooleanEqualsPath", False, False),
        (EARLY, "TimestampLessThanEqualsPath", LATE, True),
    ],
)
def test_the_right_operand_may_be_a_path(value: Any, name: str, other: Any, expected: bool) -> None:
    assert holds(value, {name: "$.other"}, other=other) is expected


def test_a_missing_variable_fails_except_for_is_present() -> None:
    scope = PathScope({})
    assert matches({"Variable": "$.v", "IsPresent": False}, scope, "")
    with pytest.raises(StatesError) as raised:
        matches({"Variable": "$.v", "IsNull": True}, scope, "Choices[0]/")
    assert raised.value.error == "States.Runtime"
    assert raised.value.cause == "Invalid path '$.v': The choice state's condition path references an invalid value."


rules = st.recursive(
    st.sampled_from(
        [({"Variable": "$.v", "NumericEquals": 1}, True), ({"Variable": "$.v", "NumericEquals": 2}, False)]
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda of: ({"And": [r for r, _ in of]}, all(b for _, b in of))),
        st.lists(inner, min_size=1, max_size=3).map(lambda of: ({"Or": [r for r, _ in of]}, any(b for _, b in of))),
        inner.map(lambda one: ({"Not": one[0]}, not one[1])),
    ),
    max_leaves=8,
)


@given(rules)
def test_and_or_not(rule: tuple[dict[str, Any], bool]) -> None:
    assert matches(rule[0], PathScope({"v": 1}), "") is rule[1]


@given(st.text("ab", max_size=8), st.text("ab*", max_size=6))
def test_a_wildcard_matches_any_characters(value: str, pattern: str) -> None:
    expected = re.fullmatch(pattern.replace("*", ".*"), value) is not None
    assert matches({"Variable": "$.v", "StringMatches": pattern}, PathScope({"v": value}), "") is expected


def test_many_wildcards_are_matched_in_linear_time() -> None:
    rule = {"Variable": "$.v", "StringMatches": "*a" * 50 + "b"}
    assert not matches(rule, PathScope({"v": "a" * 1000}), "")
