"""JSON and TOML beyond their budgets: an error that names the budget, never another one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.model import budgets
from genomics_pipeline.model.bounded_json import parse_json, refuse_deep
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.toml_file import TomlFile


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 201 + "]" * 201, "more than 200 nested arrays and objects"),
        ("[" * 100_000 + "]" * 100_000, "more than 200 nested arrays and objects"),
        ("[" * 100_000, "more than 200 nested arrays and objects"),
        ('{"a":' * 100_000, "more than 200 nested arrays and objects"),
        ('{"a":' * 201 + "1" + "}" * 201, "more than 200 nested arrays and objects"),
        ("9" * 1001, "a number of 1,001 digits, of which 1,000 are allowed"),
        ("-" + "9" * 1_000_000, "a number of 1,000,001 digits, of which 1,000 are allowed"),
        ("[NaN]", "NaN, which is not valid JSON"),
        ("[-Infinity]", "-Infinity, which is not valid JSON"),
    ],
    ids=range(9),
)
def test_json_beyond_a_budget(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        parse_json(text)


@pytest.mark.parametrize("value", [[], {}, 1, "a", [[{"a": [1, {}]}]], 10**999])
def test_other_json(value: object) -> None:
    assert parse_json(json.dumps(value)) == value


def test_the_deepest_json() -> None:
    parse_json("[" * 200 + "]" * 200)
    parse_json('{"a":' * 200 + "1" + "}" * 200)
    refuse_deep({"a": [1]}, 2)
    with pytest.raises(ValueError, match="more than 1 nested"):
        refuse_deep({"a": [1]}, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 51 + "]" * 51, "expected TOML, found more than 50 nested arrays and objects"),
        ("a = " + "[" * 100_000, "expected TOML, found more than 50 nested arrays and objects"),
        ("a = " + "{a=" * 100_000, "expected TOML, found more than 50 nested arrays and objects"),
        ("\n" + "a." * 100_000 + "a = 1", "expected a key of at most 50 parts, found more"),
        ("[" + "a ." * 100_000 + "a]", "expected a key of at most 50 parts, found more"),
        ('b = {"a"' + '."a"' * 100_000 + "= 1}", "expected a key of at most 50 parts, found more"),
        ("a = " + "9" * 900_000, "expected TOML, found a number of too many digits"),
        ("a = 0x" + "f" * 900_000, "expected TOML, found an integer beyond 64 bits"),
        ("a = 9223372036854775808", "expected TOML, found an integer beyond 64 bits"),
        ("a = [" + "1," * 1001 + "]", "expected TOML, found an array of 1,001 items, of which 1,000 are allowed"),
        ("#" + "a" * budgets.TOML_SIZE.value, "expected a TOML file of at most 1 MiB, found a larger one"),
        ("a" * 900_000, "expected TOML: Expected '=' after a key in a key/value pair (at end of document)"),
    ],
    ids=range(12),
)
def test_toml_beyond_a_budget(text: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        TomlFile(text, file="a.toml", schema="pipeline")
    assert [problem.message for problem in error.value.problems] == [message]


def test_errors_of_a_toml_file_are_counted() -> None:
    with pytest.raises(DataError) as error:
        TomlFile("".join(f"k{number} = 1\n" for number in range(5000)), file="a.toml", schema="pipeline")
    assert len(error.value.problems) == budgets.TOML_ERRORS.value


def test_a_message_is_shortened() -> None:
    assert Problem("a" * 10_000).message == "a" * 10_000
    assert Problem("a" * 10_002).message == "a" * 10_000 + " … (2 more characters)"


@given(st.text(), st.integers(), st.integers(15, 25), st.sampled_from(["", "-"]), st.sampled_from(["1", "9"]))
def test_the_fast_reader_finds_the_same_values(text: str, number: int, digits: int, sign: str, first: str) -> None:
    long = sign + first + "8" * (digits - 1)
    for value in (long, f'"{long}"', f'"a-{long}"', f"[1,{long}]", f'{{"a": {long}, "b":\n{number}}}', f"{long}.5"):
        whole = f"[{json.dumps(text)}, {value}]"
        assert repr(parse_json(whole.encode())) == repr(json.loads(whole))
    assert repr(parse_json(long.encode())) == repr(int(long))


@pytest.mark.parametrize("text", ["[NaN]", "[1e400]", "[1", "[" * 201 + "]" * 201, '{"a":' * 201 + "1" + "}" * 201])
def test_bytes_are_refused_as_texts_are(text: str) -> None:
    errors = []
    for one in (text, text.encode()):
        with pytest.raises(ValueError) as error:  # noqa: PT011  # any, but the same
            parse_json(one)
        errors.append(str(error.value))
    assert errors[0] == errors[1]
