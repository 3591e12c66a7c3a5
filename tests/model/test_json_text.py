"""Reading and writing of JSON text."""

from __future__ import annotations

import pytest

from genomics_pipeline.model.json_text import compact, dumps, loads, loads_lenient


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": ["é", None, True, 1.5]}, '{"b":1,"a":["é",null,true,1.5]}'),
        ([2**64, -(2**63) - 1], "[18446744073709551616,-9223372036854775809]"),
        ({"big": 2**64, "é": "\n"}, '{"big":18446744073709551616,"é":"\\n"}'),
        ("\ud800", '"?"'),
    ],
)
def test_json_is_written(value: object, expected: str) -> None:
    assert compact(value) == expected
    assert dumps(value) == expected.encode()


def test_json_is_read() -> None:
    assert loads(b'{"a":[1,2.0,"\xc3\xa9"]}') == {"a": [1, 2.0, "é"]}
    for wrong in ("NaN", "[Infinity]", "", "{", "1 2"):
        with pytest.raises(ValueError, match=r"line 1 column \d"):
            loads(wrong)


def test_unpaired_surrogates_are_read_leniently_only() -> None:
    text = r'{"a":"\ud83d"}'
    with pytest.raises(ValueError, match="surrogate"):
        loads(text)
    assert loads_lenient(text) == {"a": "\ud83d"}
    with pytest.raises(ValueError, match="line 1"):
        loads_lenient("{")


def test_keys_are_sorted() -> None:
    assert dumps({"b": {"d": 1, "c": 2}, "a": 3}, sort_keys=True) == b'{"a":3,"b":{"c":2,"d":1}}'
    assert dumps({"b": "\ud800", "a": 2**64}, sort_keys=True) == b'{"a":18446744073709551616,"b":"?"}'
