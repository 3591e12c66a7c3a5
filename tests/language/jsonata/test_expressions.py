"""JSONata templates: values of expressions, and failures."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.jsonata.expressions import Expression, evaluate
from genomics_pipeline.language.jsonata.text import is_expression
from tests.language.host import HOST


def value(text: str, state_input: Any = None, **variables: Any) -> Any:
    """Return the value of an expression."""
    return evaluate("{% " + text + " %}", {**variables, "states": {"input": state_input}}, "Output", HOST)


def failure(template: Any, bindings: dict[str, Any], field: str = "Output") -> StatesError:
    with pytest.raises(StatesError) as raised:
        evaluate(template, bindings, field, HOST)
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


def test_a_template_is_evaluated_at_every_depth_except_its_keys() -> None:
    template = {"{% 1 %}": ["{% $x %}", {"a": "{% $x + 1 %}"}, None, 1.5, True, "text {% 1 %}"]}
    assert evaluate(template, {"x": 1}, "Output") == {"{% 1 %}": [1, {"a": 2}, None, 1.5, True, "text {% 1 %}"]}


@pytest.mark.parametrize(
    ("text", "state_input", "expected"),
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
        # measured on AWS: floci-io/floci, docs/services/step-functions.md
        ("$states.input.a", {"a": 1.0}, 1),
        ("[$states.input.a * 1]", {"a": 2.0}, [2]),
        ("$states.input.a * 1", {"a": 2**63}, 9.223372036854776e18),
        ("$states.input.a", {"a": 10**400}, "Infinity"),  # beyond a double, as 1/0 is
        ("[$states.input.a]", {"a": -(10**400)}, ["-Infinity"]),
        ("$states.input.a > 1", {"a": 10**400}, True),
        ("[1/0, -1/0, 0/0]", None, ["Infinity", "-Infinity", "NaN"]),
        ("$count(null)", None, 1),
        ("$exists($states.input.a) and $type($states.input.a) = 'null'", {"a": None}, True),
        ("$states.input.a[1]", {"a": [1, None]}, None),
        ("'\\uD83D\\uDE00'", None, "😀"),
        ("$states.input.`true`", {"true": 1}, 1),
    ],
)
def test_values(text: str, state_input: Any, expected: Any) -> None:
    result = value(text, state_input)
    assert result == expected
    assert type(result) is type(expected)


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
    ("text", "message"),
    [
        ("1 +", "S0207: Unexpected end of expression"),
        ("$no()", "T1006: Attempted to invoke a non-function"),
        ("$error('stop')", "D3137: stop"),
        ("$eval('1')", "T1006: Attempted to invoke a non-function"),
        ("$parse('{')", "D3137: Invalid JSON"),
        ("true and $contains([1],'a')", 'T0410: Argument 1 of function "and" does not match function signature'),
        ("1 < 'a'", 'T2009: The values 1 and "a" either side of operator "<" must be of the same data type'),
        ("$d ?? 1", 'S0211: The symbol "?" cannot be used as a unary operator'),
    ],
)
def test_errors_have_a_code_and_a_sentence(text: str, message: str) -> None:
    error = failure("{% " + text + " %}", {})
    assert error.error == "States.QueryEvaluationError"
    assert error.cause == (
        f"The JSONata expression '{text}' specified for the field 'Output' threw an error during evaluation. {message}"
    )


# Recorded on AWS: radkawar/stackd, expression_limits.json; measured there: floci-io/floci, JsonataEvaluatorTest.java.
DEEP = "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive"
LARGE = "Expression evaluation memory limit exceeded: Check for excessive memory usage"
RECURSIVE = "($f := function($x){ $x <= 0 ? 0 : 1 + $f($x-1) }; $f(%d))"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1" + "+1" * 99, 100),
        ("(" * 99 + "1" + ")" * 99, 1),
        ("$count(" + "[" * 97 + "1" + "]" * 97 + ")", 1),
        ("1" + "~>$string" * 99, "1"),
        (RECURSIVE % 31, 31),
        ("($f := function($n, $a){ $n = 0 ? $a : $f($n - 1, $a + $n) }; $f(500, 0))", 125250),
        ("$count([1..873782])", 873782),
        ("$length($pad('',262144,'é'))", 262144),
        ("$length($pad($pad('',131072,'x'),262145,'x'))", 262145),
        ("$length($join([$pad('',131072,'x'),$pad('',131073,'x')]))", 262145),
    ],
)
def test_the_limits_of_aws_are_reached(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1" + "+1" * 100, DEEP),
        ("(" * 100 + "1" + ")" * 100, DEEP),
        ("[" * 100 + "1" + "]" * 100, DEEP),
        ("1" + "~>$string" * 100, DEEP),
        (RECURSIVE % 32, DEEP),
        ("(" * 8000 + "1" + ")" * 8000, DEEP),
        ("[1..873783]", LARGE),
        ("$range(1,360146,1)", LARGE),
        ("$range(1,1000000000,1)", LARGE),
        ("$pad('',262145,'x')", LARGE),
        ("($f := function($s, $n){ $n = 0 ? $s : $f($s & $s, $n - 1) }; $length($f('x', 23)))", LARGE),
    ],
)
def test_values_beyond_a_limit_are_refused(text: str, message: str) -> None:
    error = failure("{% " + text + " %}", {})
    assert error.error == "States.QueryEvaluationError"
    assert str(error.cause).endswith(f"' specified for the field 'Output' threw an error during evaluation: {message}")


def test_an_endless_expression_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genomics_pipeline.language.jsonata.evaluator.MAX_SECONDS", 0)
    assert str(failure("{% ($f := function($x){ $f($x+1) }; $f(1)) %}", {}).cause).endswith(
        "threw an error during evaluation: Expression evaluation timeout: Check for infinite loop"
    )


@pytest.mark.parametrize(
    "text", ["function($v) { $v }", "$uppercase", "[$uppercase]", "{'a': $uppercase}", "/a/", "$match"]
)
def test_a_function_is_not_a_value(text: str) -> None:
    # AWS fails the field (iwamot/sfnx, test_a_function_is_not_a_value, by TestState).
    assert failure("{% " + text + " %}", {}).cause == (
        f"The JSONata expression '{text}' specified for the field 'Output' returned an unsupported result type."
    )


def test_threads_do_not_interfere() -> None:
    text = "{% ($f := $pad(?, 3, $v); $now() = $now() ? $sum($map($l, function($x) { $x * $n })) & $f('') : 0) %}"

    def evaluate_repeatedly(n: int) -> list[str]:
        return [evaluate(text, {"l": list(range(20)), "n": n, "v": str(n)}, "F", HOST) for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(evaluate_repeatedly, range(1, 9)))
    assert results == [[f"{190 * n}{str(n) * 3}"] * 20 for n in range(1, 9)]


def test_data_that_an_expression_does_not_read_is_not_converted() -> None:
    class Untouched(dict[str, Any]):
        def items(self) -> Any:
            raise AssertionError("read")

    states = {"input": {"big": Untouched(a=1), "p": "x", "n": None}}
    assert evaluate("{% $states.input.p & 'y' & $string($states.input.n) %}", {"states": states}, "F") == "xynull"


def test_data_is_not_changed() -> None:
    data: dict[str, Any] = {"empty": [], "o": {"a": [1, None]}}
    before = json.dumps(data)
    value("[$states.input.empty{x: y}, $states.input.o ~> |$|{'a': 2}|]", data)
    assert json.dumps(data) == before


def test_an_expression_is_evaluated_each_time() -> None:
    assert [evaluate("{% $x * 2 %}", {"x": x}, "Output") for x in (1, 2)] == [2, 4]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "in"]), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "in"]), JSON, max_size=3), st.lists(st.sampled_from("ab"), max_size=3)
)
def test_the_shortcut_for_paths_agrees_with_jsonata(data: dict[str, Any], names: list[str]) -> None:
    expression = Expression(".".join(["$states", "input", *names]))
    bindings = {"states": {"input": data}}

    def outcome(call: Any) -> Any:
        try:
            return call()
        except StatesError as error:
            return error.cause

    assert outcome(lambda: expression.evaluate(bindings, "Output")) == outcome(
        lambda: expression._evaluate(bindings, "Output", HOST)
    )
