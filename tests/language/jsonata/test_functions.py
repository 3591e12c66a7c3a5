"""JSONata functions that Step Functions adds, and corrected functions of the library."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.host import NO_HOST
from genomics_pipeline.language.jsonata.expressions import evaluate
from tests.language.host import HOST


def value(text: str, **variables: Any) -> Any:
    return evaluate("{% " + text + " %}", variables, "Output", HOST)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$partition([1,2,3,4,5],2)", [[1, 2], [3, 4], [5]]),
        ("$partition([1,2],2)", [[1, 2]]),
        ("$partition([1],5)", [[1]]),
        ("$partition([1,2,3])", [[1, 2, 3]]),
        ("$partition([],$no)", [[]]),
        ("$partition([1,2,3,4,5],2.9)", [[1, 2], [3, 4], [5]]),
        ("$range(1,5,2)", [1, 3, 5]),
        ("$range(1,6,2)", [1, 3, 5]),
        ("$range(5,1,-2)", [5, 3, 1]),
        ("$range(3,3,1)", 3),
        ("[$range(1,9,9)]", [1]),
        ("[$range(3,0,1)]", []),
        ("$range(-1.7,2,1)", [-1, 0, 1, 2]),
        ("$range(5,1,-1.5)", [5, 4, 3, 2, 1]),
        ("$range(1.4,5.6,2.2)", [1, 3, 5]),
        ("$count($range(1,360145,1))", 360145),
        ("$hash('data','MD5')", "8d777f385d3dfec8815d20f7496026dc"),
        ("$hash('data','SHA-1')", "a17c9aaa61e80a1bf71d0d850af4e5baa9800bbd"),
        ("$hash('é','SHA-256')", "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"),
        ("$hash('data','SHA-384')[0] ~> $length()", 96),
        ("$hash('data','SHA-512') ~> $length()", 128),
        ('$parse(\'{"a":[1,null,"é"]}\')', {"a": [1, None, "é"]}),
        ("$parse('null')", None),
        ("$parse('7')", 7),
        # what AWS gave for these seeds: gabrielmoreira/tiny-asl-machine, Feature.JSONataBuiltins-007; floci-io/floci
        ("$random(77)", 0.7240700207191966),
        ("$random(42)", 0.7275636800328681),
        ("$random(0.9)", 0.730967787376657),
        ("$random() < 1 and $random() >= 0", True),
        ("$uuid() = $uuid()", False),
        ("$parse('9223372036854775807')", 9223372036854775807),
        ("$parse('1.0')", 1),
        ('$parse(\' {"b":1,"a":2} \')', {"b": 1, "a": 2}),
        ("$map(['{\"a\":1}','{\"a\":2}'],$parse).a", [1, 2]),
        ("$string('a')", "a"),
        # iwamot/sfnx, STRING_CASES, measured on AWS
        ("$string(2/3)", "0.666666666666666"),
        ("$string(-2/3)", "-0.666666666666667"),
        ("$string(1234567890123456.7)", "1.23456789012345e+15"),
        ("$string(100.0000000000001)", "1e+2"),
        ("$string(0.00000015)", "1.5e-7"),
        ("$string(1.5e21)", "1.5e+21"),
        ("$string(1e20)", "100000000000000000000"),
        ("$string($parse('9223372036854775808'))", "9223372036854776000"),
        ("$base64encode('é')", "w6k="),
        ("$base64decode('5pel5pysIGE=')", "日本 a"),
        ("$base64decode('YWJ')", "ab"),
        ("$decodeUrlComponent('a+b%2Bc%20d%E6')", "a b+c d�"),
        ("$formatNumber(0.125,'0.00')", "0.12"),
        ("$formatNumber(2.675,'0.00')", "2.68"),
        ("$fromMillis(0,'[H01]','utc')", "00"),
        ("$string({'a':[1,2.0,2.5,null,true,'é\"']})", '{"a":[1,2,2.5,null,true,"é\\""]}'),
        ("$string(10/2)", "5"),
        ("$string([1])", "[1]"),
        ("$string([])", "[]"),
        ("$string({})", "{}"),
        ("$string(null)", "null"),
        ("$string({'a':1},true)", '{\n  "a": 1\n}'),
    ],
)
def test_values(text: str, expected: Any) -> None:
    assert value(text) == expected


def test_random_numbers_come_from_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HOST, "random", iter((0.0, 0.0, 0.5, 0.25)).__next__)
    assert value("$shuffle([1, 2, 3])") == [2, 3, 1]
    assert value("$random()") == 0.25


@pytest.mark.parametrize("text", ["$shuffle([1, 2])", "$random()", "$uuid()", "$now()", "$millis()"])
def test_time_and_random_values_need_a_host(text: str) -> None:
    with pytest.raises(StatesError, match="evaluated without a host"):
        evaluate("{% " + text + " %}", {}, "Output", NO_HOST)


def test_uuid_is_a_version_4_uuid() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", value("$uuid()"))


def _mismatch(name: str, place: int) -> str:
    return f'T0410: Argument {place} of function "{name}" does not match function signature'


# Recorded on AWS: gabrielmoreira/tiny-asl-machine, tests/conformance/cases/.snapshots/aws/Feature.JSONataBuiltins-*;
# the others measured there by iwamot/sfnx (tests/test_testing.py) and floci-io/floci (JsonataEvaluatorTest.java).
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$partition([1],-1)", "D3137: Second argument must be zero or greater"),
        ("$partition('a',2)", 'T0412: Argument 1 of function "partition" must be an array of undefined'),
        ("$partition(null,2)", 'T0412: Argument 1 of function "partition" must be an array of undefined'),
        ("$partition([1],'2')", _mismatch("partition", 2)),
        ("$partition([1],null)", _mismatch("partition", 2)),
        ("$partition([1],2,9)", _mismatch("partition", 3)),
        ("$range('a',5,1)", _mismatch("range", 1)),
        ("$range(1,5,null)", _mismatch("range", 3)),
        ("$range(1)", _mismatch("range", 2)),
        ("$range(1,5,1,9)", _mismatch("range", 4)),
        ("$hash('a','md5')", "D3137: Hash algorithm 'md5' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5"),
        ("$hash('a',$no)", "D3137: Hash algorithm 'null' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5"),
        ("$hash(1,'MD5')", _mismatch("hash", 1)),
        ("$hash('a',5)", _mismatch("hash", 2)),
        ("$hash()", _mismatch("hash", 1)),
        ("$hash('a','MD5','x')", _mismatch("hash", 3)),
        ("$parse('')", "D3137: Invalid JSON"),
        ("$parse('{\"a\":1,\"a\":2}')", "D3137: Invalid JSON"),
        ("$parse('[1] [2]')", "D3137: Invalid JSON"),
        ("$parse('1e400')", "D3137: Invalid JSON"),
        ("$parse('NaN')", "D3137: Invalid JSON"),
        ("$parse(1)", _mismatch("parse", 1)),
        ("$parse(null)", _mismatch("parse", 1)),
        ("$parse('{}',1)", _mismatch("parse", 2)),
        ("$uuid('x')", _mismatch("uuid", 1)),
        ("$random('x')", _mismatch("random", 1)),
        ("$random(null)", _mismatch("random", 1)),
        ("$random(1,2)", _mismatch("random", 2)),
        ("$sum(['a'])", 'T0412: Argument 1 of function "sum" must be an array of "numbers"'),
        ("$formatNumber(1,'x')", "D3086: The sub-picture must not contain a passive character that is preceded by an "
         "active character and that is followed by another active character"),
    ],
)  # fmt: skip
def test_invalid_arguments_are_refused(text: str, message: str) -> None:
    with pytest.raises(StatesError) as raised:
        value(text)
    assert raised.value.error == "States.QueryEvaluationError"
    assert str(raised.value.cause).endswith(
        f"' specified for the field 'Output' threw an error during evaluation. {message}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "$string($no)",
        "$parse($no)",
        "$parse()",
        "$partition($no,2)",
        "$partition([],2)",
        "$partition([1],0)",
        "$partition([1],-0.5)",
        "$range(1,5)",
        "$range(1,5,0)",
        "$range(1,5,0.49)",
        "$range(5,1,1)",
        "$range($no,5,1)",
        "$hash('a')",
        "$hash($no,'MD5')",
        "$fromMillis('a')",
    ],
)
def test_calls_that_return_nothing(text: str) -> None:
    with pytest.raises(StatesError, match=r"returned nothing \(undefined\)"):
        value(text)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.sampled_from([0.5, -1.25, 1e-9, 123456.75])
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=3))
def test_string_and_parse_are_inverse(data: Any) -> None:
    assert value("$parse($string({'v':$v}))", v=data) == {"v": data}
    assert json.loads(value("$string({'v':$v})", v=data), strict=False) == {"v": data}


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=20), st.integers(1, 7))
def test_the_parts_together_are_the_array(items: list[int], size: int) -> None:
    parts = value("$partition($items,$size)", items=items, size=size)
    assert [item for part in parts for item in part] == items
    assert all(len(part) == size for part in parts[:-1])
