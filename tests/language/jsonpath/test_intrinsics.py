"""Intrinsic functions: values and causes, as recorded from AWS.

gabrielmoreira/tiny-asl-machine tests/conformance/cases/States.*.ts ran on AWS, and record the differences of their own
runtime; localstack/localstack tests/aws/services/stepfunctions/v2/intrinsic_functions are recordings.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.jsonpath.intrinsics import check, evaluate
from genomics_pipeline.language.jsonpath.scope import PathScope
from tests.language.host import HOST

MISCOUNTED = "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}."
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def value(text: str, state_input: Any = None, context: Any = None, **variables: Any) -> Any:
    return evaluate(text, PathScope(state_input, lambda: context, variables, HOST), "x.$")


def failure(text: str, state_input: Any = None, context: Any = None) -> StatesError:
    with pytest.raises(StatesError) as raised:
        value(text, state_input, context)
    return raised.value


@pytest.mark.parametrize(
    ("text", "state_input", "expected"),
    [
        ("States.Array()", None, []),
        ("States.Array(1, -2, 1.5, 1e2, 'a', '')", None, [1, -2, 1.5, 100.0, "a", ""]),
        ("States.Array(null, true, false)", None, [None, True, False]),
        (r"States.Array('it\'s', 'a\\b', '\{x\}')", None, ["it's", "a\\b", "{x}"]),
        ("States.Array('Hello\nWorld')", None, ["Hello\nWorld"]),  # localstack generic/escape_sequence.json5
        ("States.Array( $.a , $['b c'][0] )", {"a": 1, "b c": [2]}, [1, 2]),
        ("States.Array($.a[?(@.b == ')' && @.c == ',')].d)", {"a": [{"b": ")", "c": ",", "d": 1}]}, [[1]]),
        ("States.JsonToString($.[?(@.year <= 1998)])", [{"year": 1998}, {"year": 1999}], '[{"year":1998}]'),
        ("States.ArrayPartition($.a, 4)", {"a": [1, 2, 3, 4, 5]}, [[1, 2, 3, 4], [5]]),
        ("States.ArrayPartition($.a, 2.6)", {"a": [1, 2, 3]}, [[1, 2], [3]]),  # AWS truncates
        ("States.ArrayPartition($.a, 3)", {"a": []}, []),
        ("States.ArrayContains($.a, 2)", {"a": [1, 2]}, True),
        ("States.ArrayContains($.a, 5)", {"a": [1, 2]}, False),
        ("States.ArrayContains($.a, null)", {"a": [1, None]}, True),
        ("States.ArrayContains($.a, $.t)", {"a": [[1, 2], [3]], "t": [1, 2]}, True),
        ("States.ArrayContains($.a, $.t)", {"a": [{"a": 1, "b": 2}], "t": {"b": 2, "a": 1}}, False),  # AC-009
        ("States.ArrayContains($.a, false)", {"a": [0, 1, -1, -1.5]}, False),  # AC-025
        ("States.ArrayContains($.a, true)", {"a": ["true"]}, True),  # AC-028
        ("States.ArrayContains($.a, 9007199254740991)", {"a": ["9007199254740991"]}, True),  # AC-026
        ("States.ArrayRange(1, 9, 2)", None, [1, 3, 5, 7, 9]),
        ("States.ArrayRange(-2, 2, 2)", None, [-2, 0, 2]),
        ("States.ArrayRange(5, 1, -2)", None, [5, 3, 1]),
        ("States.ArrayRange(3, 3, -1)", None, [3]),
        ("States.ArrayRange(5, 1, 1)", None, []),
        ("States.ArrayRange(1, 5, -1)", None, []),
        ("States.ArrayRange(1.6, 1.4, 1)", None, [1]),  # ARANGE-023: AWS truncates
        ("States.ArrayRange(5.4, -0.6, -2.4)", None, [5, 3, 1]),  # ARANGE-024
        ("States.ArrayGetItem($.a, 1)", {"a": ["a", "b"]}, "b"),
        ("States.ArrayGetItem($.a, 1.2)", {"a": [10, 20]}, 20),  # AGI-015
        ("States.ArrayGetItem($.a, 999)", {"a": []}, None),  # AGI-011
        ("States.ArrayLength($.a)", {"a": [1, 2]}, 2),
        ("States.ArrayUnique($.a)", {"a": [1, "1", 1, "01", True, True, None, None]}, [1, "1", "01", True, None]),
        ("States.ArrayUnique($.a)", {"a": [{"a": 1, "b": 2}, {"b": 2, "a": 1}]}, [{"a": 1, "b": 2}]),
        ("States.ArrayUnique($.a)", {"a": [1, 2, 1, 3, 2]}, [1, 2, 3]),
        ("States.Base64Encode('hello')", None, "aGVsbG8="),
        ("States.Base64Encode($.s)", {"s": "✓"}, "4pyT"),
        ("States.Base64Decode('aGVsbG8=')", None, "hello"),
        ("States.Base64Decode('')", None, ""),
        ("States.Base64Decode(' YWJjZA== ')", None, "abcd"),  # B64D-024
        ("States.Base64Decode('YWJj!ZA')", None, "abcd"),  # B64D-015, B64D-017: no error
        ("States.Base64Decode('ab==cd')", None, "i"),  # B64D-019: no error
        ("States.Hash('hello', 'MD5')", None, "5d41402abc4b2a76b9719d911017c592"),
        ("States.Hash('hello', 'SHA-1')", None, "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
        (
            "States.Hash('hello', 'SHA-256')",
            None,
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        ),
        ("States.Hash($.s, 'SHA-256')", {"s": "✓"}, "1dabba21cdad44541f6b15796f8d22978fc7ea10c46aeceeeeb66c23b3ac7604"),
        ("States.Hash(123, 'MD5')", None, "202cb962ac59075b964b07152d234b70"),  # HASH-014: the MD5 of 123 as text
        ("States.JsonMerge($.a, $.b, false)", {"a": {"x": 1, "n": {"l": 1}}, "b": {"n": {}}}, {"x": 1, "n": {}}),
        ("States.JsonMerge($.a, $.b, 'false')", {"a": {"x": 1}, "b": {}}, {"x": 1}),  # JMG-13
        (
            "States.JsonMerge(States.StringToJson('{\"constant_in_literal\": \"false\"}'), $$.in, false)",
            None,
            {"constant_in_literal": "false", "from": "context"},
        ),  # localstack json_merge_escaped_argument.json5
        ("States.JsonToString($.s)", {"s": "hello"}, '"hello"'),
        ("States.JsonToString($.n)", {"n": None}, "null"),
        ("States.JsonToString($.o)", {"o": {"a": "é", "b": [True, None, 3.5]}}, '{"a":"é","b":[true,null,3.5]}'),
        ("States.StringToJson($.s)", {"s": ' {"a":1} '}, {"a": 1}),
        ("States.StringToJson($.s)", {"s": ""}, None),  # STJ-11
        ("States.MathAdd(111, -1)", None, 110),
        # localstack test_math_operations.snapshot.json: test_math_add
        ("States.MathAdd(1.49, 1.5)", None, 3),
        ("States.MathAdd(1.5, 1.51)", None, 4),
        ("States.MathAdd(-1.49, -1.5)", None, -2),
        ("States.MathAdd(2147483646, 1)", None, 2147483647),
        ("States.MathAdd(-2147483647, -1)", None, -2147483648),
        ("States.StringSplit('1,2,3', ',')", None, ["1", "2", "3"]),
        ("States.StringSplit('1+2,3.4', '.+,')", None, ["1", "2", "3", "4"]),
        ("States.StringSplit(',a,,b,', ',')", None, ["a", "b"]),  # SSP-03 to SSP-05
        ("States.StringSplit('', ',')", None, []),  # SSP-07
        ("States.StringSplit('a]b^c-d', '^-]')", None, ["a", "b", "c", "d"]),
        ("States.Format('no placeholders')", None, "no placeholders"),
        ("States.Format('{} {} {} {}', $.a, $.b, $.c, $.d)", {"a": "x", "b": 2, "c": True, "d": None}, "x 2 true null"),
        (r"""States.Format('Name: \'{}\', "{}"', $.n, $.s)""", {"n": "G", "s": "M"}, """Name: 'G', "M\""""),
        (r"States.Format('\{\} is {}', 1.1)", None, "{} is 1.1"),
        ("States.Format($.template, $.n)", {"template": "Hello {}", "n": "{}"}, "Hello {}"),
        ("States.Format('')", None, ""),
        # radkawar/stackd dataflow_execution.json: context-and-intrinsics
        ("States.Format('{}:{}', States.ArrayGetItem($.a, 1), States.MathAdd($.n, 2))", {"a": [1, 2], "n": 5}, "2:7"),
    ],
)  # fmt: skip
def test_values(text: str, state_input: Any, expected: Any) -> None:
    result = value(text, state_input, {"in": {"from": "context"}})
    assert result == expected
    assert json.dumps(result) == json.dumps(expected)  # True is not 1
    assert check(text) is None


def test_variables_and_context() -> None:
    assert value("States.Array($v.x, $$.State.Name)", None, {"State": {"Name": "S"}}, v={"x": 1}) == [1, "S"]


@pytest.mark.parametrize(
    ("text", "state_input"),
    [
        ("States.ArrayLength($.value)", {"value": 4}),  # stackd: test-pass-intrinsic-type-error
        ("States.ArrayLength('text')", None),
        ("States.ArrayPartition($.a, 0)", {"a": [1]}),
        ("States.ArrayPartition($.a, 0.6)", {"a": [1]}),  # AP-015
        ("States.ArrayPartition($.a, '2')", {"a": [1]}),
        ("States.ArrayPartition($.a, null)", {"a": [1]}),
        ("States.ArrayContains('a', 'a')", None),
        ("States.ArrayRange(1, 10, 0)", None),
        ("States.ArrayRange(1, 10, 0.49)", None),
        ("States.ArrayRange(1, 1001, 1)", None),
        ("States.ArrayRange('a', 5, 1)", None),
        ("States.ArrayGetItem($.a, 3)", {"a": [1, 2, 3]}),
        ("States.ArrayGetItem($.a, -1)", {"a": [1, 2, 3]}),
        ("States.ArrayGetItem($.a, '1')", {"a": [1, 2, 3]}),
        ("States.ArrayUnique($.a)", {"a": {}}),
        ("States.Base64Encode(1)", None),
        ("States.Base64Encode($.s)", {"s": "a" * 10_001}),
        ("States.Base64Decode($.s)", {"s": "A" * 10_001}),
        ("States.Hash($.s, 'MD5')", {"s": "a" * 10_001}),
        ("States.Hash('a', 'sha-256')", None),
        ("States.Hash('a', 123)", None),
        ("States.JsonMerge($.a, $.b, true)", {"a": {}, "b": {}}),
        ("States.JsonMerge($.a, $.b, false)", {"a": None, "b": {}}),
        ("States.JsonMerge($.a, $.b, false)", {"a": {}, "b": []}),
        ("States.MathRandom(1, 1)", None),
        ("States.MathRandom(1.4, 1.6)", None),  # MRAND-009: AWS truncates
        ("States.MathRandom(10, 5)", None),
        ("States.MathRandom(1, 10, null)", None),
        ("States.MathAdd('2', 1)", None),
        ("States.MathAdd($.n, 1)", {"n": 10**400}),
        ("States.MathRandom(1, $.n)", {"n": 10**400}),
        ("States.ArrayRange(1, 5, $.n)", {"n": -(10**400)}),
        ("States.MathAdd(true, 1)", None),
        ("States.MathAdd(2147483647, 1)", None),
        ("States.MathAdd(3000000000, -3000000000)", None),
        ("States.StringSplit($.s, ',')", {"s": 123}),
        ("States.StringSplit('a', null)", None),
        ("States.StringToJson('{bad json}')", None),
        ("States.StringToJson('NaN')", None),
        ("States.StringToJson($.s)", {"s": 123}),
        ("States.Format('{}', $.o)", {"o": {}}),
        ("States.Format($.n)", {"n": 1}),
        ("States.ArrayLength()", None),
        ("States.MathAdd(1)", None),
        ("States.MathRandom(1, 2, 3, 4)", None),
        ("States.Format()", None),
        ("States.Array2(1)", None),
    ],
)
def test_invalid_arguments(text: str, state_input: Any) -> None:
    raised = failure(text, state_input)
    name = text.partition("(")[0]
    assert raised.error == "States.Runtime"
    assert raised.cause == (
        f"There was an error while evaluating the intrinsic function: {text}. Invalid arguments in {name}"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("States.Format('{} {}', 1)", MISCOUNTED),
        ("States.Format('{}', 1, 2)", MISCOUNTED),
        ("States.Format('Hello {', 1)", "Invalid template in States.Format: matching '}' not found for '{'."),
        ("States.Format('Hello {{}}', 1)", "Invalid template in States.Format: matching '}' not found for '{'."),
        ("States.Format('}')", "Invalid template in States.Format: matching '{' not found for '}'."),
        ("States.Array(States.ArrayLength(1))", "Invalid arguments in States.ArrayLength"),
    ],
)  # fmt: skip
def test_the_cause_names_the_problem(text: str, problem: str) -> None:
    assert failure(text).cause == f"There was an error while evaluating the intrinsic function: {text}. {problem}"


# floci-io/floci AslExecutorIntrinsicMissingArgumentTest: causes captured from AWS, us-east-1
@pytest.mark.parametrize(
    ("text", "state_input", "problem"),
    [
        (
            "States.Format('{}',$.nope)",
            {"other": 1},
            "The JsonPath argument for the field '$.nope' could not be found in the input '{\"other\":1}'",
        ),
        (
            "States.Format('{}', States.Format('{}', $.nope))",
            {"other": 1},
            "The JsonPath argument for the field '$.nope' could not be found in the input '{\"other\":1}'",
        ),
        (
            "States.Format('{}', $.items[5])",
            {"items": [1, 2]},
            "The JsonPath argument for the field '$.items[5]' could not be found in the input '{\"items\":[1,2]}'",
        ),
        (
            "States.Format('{}', $.items[5].x)",
            {"items": [1]},
            "The JsonPath argument for the field '$.items[5].x' could not be found in the input '{\"items\":[1]}'",
        ),
        (
            "States.Format('{}', $$.Nope.Deep)",
            {"other": 1},
            "The JsonPath argument for the field '$.Nope.Deep' could not be found in the input '{\"other\":1}'",
        ),
        (
            "States.Format('{}', $.other[0])",
            {"other": 1},
            "Filter: [0] can only be applied to arrays. Current context is: 1",
        ),
    ],
)
def test_an_argument_path_without_a_value(text: str, state_input: Any, problem: str) -> None:
    raised = failure(text, state_input, {})
    assert raised.error == "States.Runtime"
    assert raised.cause == f"The function '{text}' had the following error: {problem}"


def test_a_text_that_is_not_a_call_fails_the_state() -> None:
    raised = failure("States.Array")
    assert (raised.error, raised.cause) == (
        "States.Runtime",
        "The value for the field 'x.$' must be a valid JSONPath or a valid intrinsic function call: "
        "expected '(' at character 13 of 'States.Array'",
    )


def test_the_ends_of_a_range() -> None:
    assert value("States.ArrayRange(1000, 1, -1)") == list(range(1000, 0, -1))
    assert failure("States.ArrayRange(1001, 1, -1)").error == "States.Runtime"


def test_uuid() -> None:
    generated = value("States.UUID()")
    assert uuid.UUID(generated).version == 4
    assert str(uuid.UUID(generated)) == generated
    assert value("States.UUID(1, 'x')") != generated  # AWS snapshot States.UUID-010: arguments are ignored


def test_random_numbers() -> None:
    # MRAND-001, 004, 008B: the start is included, the end is not; the same seed gives the same number
    assert {value("States.MathRandom(1.6, 3.4)") for _ in range(60)} == {1, 2}
    assert value("States.MathRandom(1, 1000000, 42)") == value("States.MathRandom(1, 1000000, 42)")


@given(VALUES)
def test_json_round_trip(state_input: Any) -> None:
    assert value("States.StringToJson(States.JsonToString($))", state_input) == state_input


@given(st.text(max_size=2000))
def test_base64_round_trip(state_input: str) -> None:
    assert value("States.Base64Decode(States.Base64Encode($))", state_input) == state_input


@given(st.lists(st.integers(), max_size=20), st.integers(1, 25))
def test_the_parts_together_are_the_array(items: list[int], size: int) -> None:
    parts = value("States.ArrayPartition($.items, $.size)", {"items": items, "size": size})
    assert [item for part in parts for item in part] == items
    assert all(len(part) == size for part in parts[:-1])


@given(st.text())
def test_any_text_can_be_escaped(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("{", "\\{").replace("}", "\\}")
    assert value(f"States.Array('{escaped}')") == [text]
    assert value(f"States.Format('{escaped}')") == text


@given(st.lists(VALUES, max_size=6))
def test_array_unique_keeps_every_value(items: list[Any]) -> None:
    unique = value("States.ArrayUnique($)", items)
    assert value("States.ArrayUnique($)", unique) == unique
    assert all(value("States.ArrayContains($.all, $.one)", {"all": items, "one": item}) for item in unique)
