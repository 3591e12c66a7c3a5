"""The JSONata functions that Step Functions adds, and those corrected at our edge."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.engine.errors import StatesError
from genomics_pipeline.engine.jsonata.expressions import evaluate


def value(text: str, **variables: Any) -> Any:
    return evaluate("{% " + text + " %}", variables, "Output")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$partition([1,2,3,4,5],2)", [[1, 2], [3, 4], [5]]),
        ("$partition([1,2],2)", [[1, 2]]),
        ("$partition([1],5)", [[1]]),
        ("$partition([],2)", []),
        ("$partition(7,2)", [[7]]),
        ("$range(1,5,2)", [1, 3, 5]),
        ("$range(1,6,2)", [1, 3, 5]),
        ("$range(5,1,-2)", [5, 3, 1]),
        ("$range(1,1,1)", [1]),
        ("$range(0,1,0.5)", [0, 0.5, 1]),
        ("$range(2,1,1)", []),
        ("$hash('data','MD5')", "8d777f385d3dfec8815d20f7496026dc"),
        ("$hash('data','SHA-1')", "a17c9aaa61e80a1bf71d0d850af4e5baa9800bbd"),
        ("$hash('é','SHA-256')", "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"),
        ("$hash('data','SHA-384')[0] ~> $length()", 96),
        ("$hash('data','SHA-512') ~> $length()", 128),
        ('$parse(\'{"a":[1,null,"é"]}\')', {"a": [1, None, "é"]}),
        ("$parse('null')", None),
        ("$parse('7')", 7),
        ("$random(5) = $random(5)", True),
        ("$random() < 1 and $random() >= 0", True),
        ("$uuid() = $uuid()", False),
        ("$string('a')", "a"),
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


def test_uuid_is_a_version_4_uuid() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", value("$uuid()"))


@pytest.mark.parametrize(
    "text",
    [
        "$partition([1],0)",
        "$partition([1],-1)",
        "$range(1,2,0)",
        "$hash('data','SHA-2')",
        "$hash('data')",
        "$partition([1])",
        "$parse('')",
        "$parse(1)",
        "$uuid(1)",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(StatesError, match="threw an error during evaluation") as raised:
        value(text)
    assert raised.value.error == "States.QueryEvaluationError"


@pytest.mark.parametrize("text", ["$string($no)", "$parse($no)", "$partition($no,2)"])
def test_nothing_stays_nothing(text: str) -> None:
    with pytest.raises(StatesError, match=r"returned nothing \(undefined\)"):
        value(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=3))
def test_string_and_parse_are_each_others_inverse(data: Any) -> None:
    assert value("$parse($string({'v':$v}))", v=data) == {"v": data}
    assert json.loads(value("$string({'v':$v})", v=data)) == {"v": data}


@given(st.lists(st.integers(), max_size=20), st.integers(1, 7))
def test_parts_put_together_are_the_array(items: list[int], size: int) -> None:
    parts = value("$partition($items,$size)", items=items, size=size)
    assert [item for part in parts for item in part] == items
    assert all(len(part) == size for part in parts[:-1])
