"""Reference paths: placing a value, and conflicts."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.jsonpath.path import find
from genomics_pipeline.language.jsonpath.reference_path import check, put
from genomics_pipeline.language.jsonpath.scope import PathScope

KEYS = st.text(max_size=4)
OBJECTS = st.recursive(
    st.dictionaries(KEYS, st.integers(), max_size=2), lambda inner: st.dictionaries(KEYS, inner, max_size=3)
)


@pytest.mark.parametrize(
    ("text", "document", "expected"),
    [
        # gabrielmoreira/tiny-asl-machine Feature.ResultPath, run on AWS
        ("$", {"a": 1}, "new"),
        ("$.audit.review.final", {"audit": {"x": 1}}, {"audit": {"x": 1, "review": {"final": "new"}}}),
        ("$.detail", {"detail": {"old": 1}, "b": 2}, {"detail": "new", "b": 2}),
        ("$.a", {}, {"a": "new"}),
        ("$['a b'].c", {}, {"a b": {"c": "new"}}),
        ("$.a[1]", {"a": [1, 2, 3]}, {"a": [1, "new", 3]}),
        ("$.a[0].b", {"a": [{"c": 1}]}, {"a": [{"c": 1, "b": "new"}]}),
        ("$[0]", [1], ["new"]),
    ],
)
def test_put(text: str, document: Any, expected: Any) -> None:
    before = copy.deepcopy(document)
    assert put(text, document, "new") == expected
    assert document == before


@pytest.mark.parametrize(
    ("text", "document", "input_text"),
    [
        ("$.child", 4, "4"),  # radkawar/stackd dataflow_execution.json: test-pass-result-path-scalar
        ("$.a.b", {"a": "text"}, '{"a":"text"}'),
        ("$.a.b", {"a": None}, '{"a":null}'),
        ("$.a.b", {"a": [1]}, '{"a":[1]}'),
        ("$.a[0]", {"a": {}}, '{"a":{}}'),
        ("$.a[0]", {}, "{}"),
        ("$.a[1]", {"a": [1]}, '{"a":[1]}'),
        ("$.a", None, "null"),
    ],
)
def test_conflict(text: str, document: Any, input_text: str) -> None:
    with pytest.raises(StatesError) as raised:
        put(text, document, 99)
    assert raised.value.error == "States.ReferencePathConflict"
    assert raised.value.cause == f"Unable to apply ReferencePath {text} to input {input_text}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a", "a path must start with '$'"),
        ("$$.a", "a reference path must start with '$' and a name: the context object and variables cannot be written"),
        ("$x.a", "a reference path must start with '$' and a name: the context object and variables cannot be written"),
        ("$.a[-1]", "a reference path cannot have a negative index"),
        (
            "$..a",
            "a reference path leads to a single node: it cannot have wildcards, slices, filters or lists of names",
        ),
        (
            "$.a[?(@.b)]",
            "a reference path leads to a single node: it cannot have wildcards, slices, filters or lists of names",
        ),
        ("$.a.size()", "functions such as size() are not supported"),
        ("$.a[0", "unexpected end of segment in '[0'"),
    ],
)
def test_check_reports_the_problem(text: str, problem: str) -> None:
    assert check(text) == problem


@pytest.mark.parametrize("text", ["$", "$.a", "$.a.b['c'][0]"])
def test_check_accepts_valid_paths(text: str) -> None:
    assert check(text) is None


@given(OBJECTS, st.lists(KEYS, max_size=4), st.integers())
def test_a_placed_value_is_at_the_path(document: dict[str, Any], keys: list[str], value: int) -> None:
    text = "$" + "".join("['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']" for key in keys)
    node: Any = document
    for key in keys:
        assume(isinstance(node, dict))  # an integer cannot have members
        node = node.get(key, {})
    placed = put(text, document, value)
    assert find(text, PathScope(placed), "InputPath") == value
    if keys:
        assert {**document, keys[0]: None} == {**placed, keys[0]: None}
