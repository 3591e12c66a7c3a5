"""JSONata templates: what an expression gives, and how it fails."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.engine.errors import StatesError
from genomics_pipeline.engine.jsonata.expressions import Expression, evaluate, is_expression


def value(text: str, given: Any = None, **variables: Any) -> Any:
    """The value of an expression whose state's input is `given`."""
    return evaluate("{% " + text + " %}", {**variables, "states": {"input": given}}, "Output")


def failure(template: Any, bindings: dict[str, Any], field: str = "Output") -> StatesError:
    with pytest.raises(StatesError) as raised:
        evaluate(template, bindings, field)
    return raised.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% 1 %}", True),
        ("{%1%}", True),
        ("{%%}", True),
        ("{%}", False),
        (" {% 1 %}", False),
        ("{% 1 %} ", False),
        ("a {% 1 %}", False),
        (5, False),
        (None, False),
    ],
)
def test_is_expression(text: Any, expected: bool) -> None:
    assert is_expression(text) is expected


def test_a_template_is_evaluated_to_its_depth_and_its_keys_are_kept() -> None:
    template = {"{% 1 %}": ["{% $x %}", {"a": "{% $x + 1 %}"}, None, 1.5, True, "text {% 1 %}"]}
    assert evaluate(template, {"x": 1}, "Output") == {"{% 1 %}": [1, {"a": 2}, None, 1.5, True, "text {% 1 %}"]}


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("$states.input.items", {"items": []}, []),
        ("$states.input.items", {"items": [7]}, [7]),
        ("$states.input.items", {"items": [[7]]}, [[7]]),
        ("$states.input.items.id", {"items": [{"id": 7}]}, 7),  # a sequence of one is its member
        ("[$states.input.items.id]", {"items": [{"id": 7}]}, [7]),
        ("[$states.input.items.id]", {"items": [{"id": 7}, {"id": 8}]}, [7, 8]),
        ("[$states.input.items.no]", {"items": [{"id": 7}]}, []),
        ("$states.input.items[id=8]", {"items": [{"id": 7}, {"id": 8}]}, {"id": 8}),
        ("$states.input.a", {"a": None}, None),
        ("$states.input.a.b", {"a": {"b": False}}, False),
        ("$states.input", None, None),
        ("null", None, None),
        ("{'a':null,'b':$states.input.no}", {}, {"a": None}),
        ("$count($states.input.items)", {"items": [1, 2, 3]}, 3),
        ("$merge([{'a':1,'b':1},$states.input.o])", {"o": {"b": 2}}, {"a": 1, "b": 2}),
        ("$merge([{'a':1},$states.input.no])", {}, {"a": 1}),
        ("$exists($states.input.no)", {}, False),
        ("'é' & $string(1)", None, "é1"),
        ("7 / 2", None, 3.5),
        ("function($x){$x}", None, None),
        ("$states.input.`true`", {"true": 1}, 1),
    ],
)
def test_values(text: str, given: Any, expected: Any) -> None:
    found = value(text, given)
    assert found == expected
    assert type(found) is type(expected)


def test_a_missing_member_is_an_error_with_the_expression_and_the_field() -> None:
    error = failure({"a": ["{%  $states.input.no  %}"]}, {"states": {"input": {}}}, "Arguments")
    assert error.error == "States.QueryEvaluationError"
    assert error.cause == (
        "The JSONata expression '$states.input.no' specified for the field 'Arguments/a[0]' "
        "returned nothing (undefined)."
    )


def test_an_unknown_variable_is_nothing() -> None:
    assert failure("{% $n %}", {}).cause == (
        "The JSONata expression '$n' specified for the field 'Output' returned nothing (undefined)."
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 +", "S0207: Unexpected end of expression"),
        ("$no()", "T1006: Attempted to invoke a non-function"),
        ("$error('stop')", "D3137: stop"),
        ("$eval('1')", "T1006: Attempted to invoke a non-function"),
        ("$parse('{')", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ],
)
def test_what_throws_is_told(text: str, told: str) -> None:
    error = failure("{% " + text + " %}", {})
    assert error.error == "States.QueryEvaluationError"
    assert error.cause == (
        f"The JSONata expression '{text}' specified for the field 'Output' threw an error during evaluation. {told}"
    )


def test_an_expression_is_evaluated_anew_each_time() -> None:
    assert [evaluate("{% $x * 2 %}", {"x": x}, "Output") for x in (1, 2)] == [2, 4]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "in"]), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "in"]), JSON, max_size=3), st.lists(st.sampled_from("ab"), max_size=3)
)
def test_the_short_cut_for_paths_answers_as_jsonata_does(data: dict[str, Any], names: list[str]) -> None:
    expression = Expression(".".join(["$states", "input", *names]))
    bindings = {"states": {"input": data}}

    def outcome(call: Any) -> Any:
        try:
            return call()
        except StatesError as error:
            return error.cause

    assert outcome(lambda: expression.evaluate(bindings, "Output")) == outcome(
        lambda: expression._evaluate(bindings, "Output")
    )
