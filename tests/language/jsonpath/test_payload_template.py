"""Payload templates: their values, literals, and problems."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.jsonpath.payload_template import fill
from genomics_pipeline.language.jsonpath.scope import PathScope
from genomics_pipeline.language.validation.diagnostics import SCHEMA
from genomics_pipeline.language.validation.templates import jsonpath_template_problems

KEYS = st.text(max_size=5).filter(lambda key: not key.endswith(".$"))
LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
)


def fill_template(template: Any, state_input: Any = None, context: Any = None, **variables: Any) -> Any:
    return fill(template, PathScope(state_input, lambda: context, variables), "Parameters")


def test_each_kind_of_value() -> None:
    template = {
        "path.$": "$.a.b",
        "many.$": "$.list[*].n",
        "context.$": "$$.State.Name",
        "variable.$": "$v.x[0]",
        "intrinsic.$": "States.Format('{}!', $.a.b)",
        "whole.$": "$",
        "literal": "$.a.b",
        "nested": {"deep.$": "$.a", "list": [{"in.$": "$.a.b"}, "$.a", 1]},
    }
    state_input = {"a": {"b": 1}, "list": [{"n": 2}, {}]}
    assert fill_template(template, state_input, {"State": {"Name": "S"}}, v={"x": [3]}) == {
        "path": 1,
        "many": [2],
        "context": "S",
        "variable": 3,
        "intrinsic": "1!",
        "whole": state_input,
        "literal": "$.a.b",
        "nested": {"deep": {"b": 1}, "list": [{"in": 1}, "$.a", 1]},
    }


def test_literals_that_look_like_paths_are_kept() -> None:
    # localstack assign/test_assign_base.snapshot.json: BASE_CONSTANT_LITERALS
    template: dict[str, Any] = {
        "path": "$.no.such.path",
        "context": "$$.Execution.Id",
        "variable": "$noSuchVar.noSuchMember",
        "intrinsic": "States.Format('{}', $varname)",
        "jsonata": "{% $varname.varfield %}",
        "list": [None, 0, 0.1, True, "$.no.such.path", "States.Format('{}', $varname)", [], {"constant": 0}],
    }
    assert fill_template(template) == template


def test_a_value_may_be_null() -> None:
    assert fill_template({"a.$": "$.a"}, {"a": None}) == {"a": None}


def test_the_cause_names_the_key() -> None:
    with pytest.raises(StatesError) as raised:
        fill_template({"outer": {"inner.$": "$.nope"}}, {"other": 1})
    assert (raised.value.error, raised.value.cause) == (
        "States.Runtime",
        "The JSONPath '$.nope' specified for the field 'inner.$' could not be found in the input '{\"other\":1}'",
    )


@pytest.mark.parametrize("value", ["text", 5, None, {}, "{% 1 %}"])
def test_a_value_that_is_not_a_path(value: Any) -> None:
    with pytest.raises(StatesError) as raised:
        fill_template({"a.$": value})
    assert (raised.value.error, raised.value.cause) == (
        "States.Runtime",
        "The value for the field 'a.$' must be a valid JSONPath or a valid intrinsic function call at Parameters",
    )
    assert list(jsonpath_template_problems({"a.$": value})) == [
        (SCHEMA, "The value for the field 'a.$' must be a valid JSONPath or a valid intrinsic function call", [])
    ]


def test_every_wrong_value_is_reported() -> None:
    template = {
        "fine.$": "$.a",
        "also.$": "States.UUID()",
        "deep": [{"path.$": "$.a["}, {"call.$": "States.Foo()"}],
    }
    must = "must be a valid JSONPath or a valid intrinsic function call"
    assert list(jsonpath_template_problems(template)) == [
        (SCHEMA, f"The value for the field 'path.$' {must}", []),
        (SCHEMA, f"The value for the field 'call.$' {must}", []),
    ]


@given(LITERALS)
def test_a_template_without_paths_is_itself(template: Any) -> None:
    assert fill_template(template) == template
    assert list(jsonpath_template_problems(template)) == []
