"""ItemReader: what items an object holds, and how it tells what is wrong with it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from genomics_pipeline.engine.distributed_map.item_reader import ItemReader
from genomics_pipeline.engine.errors import StatesError

Read = Any


@pytest.fixture
def read(bench: Any) -> Read:
    """`read(text, key, **config)`: the values of the items of an object."""

    def call(data: str | bytes, key: str = "items.jsonl", **config: Any) -> list[Any]:
        bench.store.objects[f"s3://b/{key}"] = data if isinstance(data, bytes) else data.encode()
        items = list(ItemReader(bench.store, "b", key, config).items())
        assert [item["Index"] for item in items] == list(range(len(items)))
        assert {item["Source"] for item in items} <= {f"s3://b/{key}"}
        assert all(item.keys() == {"Index", "Value", "Source"} for item in items)
        return [item["Value"] for item in items]

    return call


def refused(read: Read, *arguments: Any, **config: Any) -> str:
    with pytest.raises(StatesError) as raised:
        read(*arguments, **config)
    assert raised.value.error == "States.ItemReaderFailed"
    return raised.value.cause


def test_json_lines(read: Read) -> None:
    assert read('{"a":"é"}\n\n  \n[1]\r\n7\nnull', InputType="JSONL") == [{"a": "é"}, [1], 7, None]
    assert read("", InputType="JSONL") == []


@pytest.mark.parametrize(("most", "expected"), [(0, []), (2, [0, 1]), (9, [0, 1, 2])])
def test_max_items(read: Read, most: int, expected: list[int]) -> None:
    assert read("0\n1\n2\n", InputType="JSONL", MaxItems=most) == expected


def test_a_malformed_line_is_told_with_file_and_line(read: Read) -> None:
    assert refused(read, '{"a":1}\n\n{"a":\n', InputType="JSONL") == (
        "s3://b/items.jsonl: line 3: Expecting value: line 2 column 1 (char 6)"
    )


def test_bytes_that_are_no_text_are_told_with_file_and_line(read: Read) -> None:
    assert refused(read, b'1\n"\xff"\n', InputType="JSONL").startswith("s3://b/items.jsonl: line 2: 'utf-8' codec")


@pytest.mark.parametrize(
    ("data", "pointer", "expected"),
    [
        ([1, 2], {}, [1, 2]),
        ([1, 2], {"ItemsPointer": ""}, [1, 2]),
        ({"a": {"b": [1]}}, {"ItemsPointer": "/a/b"}, [1]),
        ({"a": [[], [7]]}, {"ItemsPointer": "/a/1"}, [7]),
        ({"a/b": {"m~n": [3]}}, {"ItemsPointer": "/a~1b/m~0n"}, [3]),
        ({"~1": [4]}, {"ItemsPointer": "/~01"}, [4]),
        ({"": [5]}, {"ItemsPointer": "/"}, [5]),
    ],
)
def test_json(read: Read, data: Any, pointer: dict[str, str], expected: list[Any]) -> None:
    assert read(json.dumps(data), "x.json", InputType="JSON", **pointer) == expected


@pytest.mark.parametrize(
    ("data", "pointer", "told"),
    [
        ({"a": 1}, "", "expected an array of items, found dict"),
        ({"a": 1}, "/b", "'b'"),
        ([[1]], "/5", "list index out of range"),
        ([[1]], "/x", "invalid literal for int() with base 10: 'x'"),
        ({"a": 7}, "/a/b", "'int' object is not subscriptable"),
        ({"a": "text"}, "/a/b", "string indices must be integers, not 'str'"),
    ],
)
def test_json_that_has_no_such_array(read: Read, data: Any, pointer: str, told: str) -> None:
    cause = refused(read, json.dumps(data), "x.json", InputType="JSON", ItemsPointer=pointer)
    assert cause == f"s3://b/x.json: {told}"


@pytest.mark.parametrize(
    ("text", "config", "expected"),
    [
        ("a,b\n1,2\n3,4\n", {}, [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        ("\ufeffa,b\r\n1,2\r\n", {}, [{"a": "1", "b": "2"}]),
        ("a;b\n1;2\n", {"CSVDelimiter": "SEMICOLON"}, [{"a": "1", "b": "2"}]),
        ("a|b\n1|2\n", {"CSVDelimiter": "PIPE"}, [{"a": "1", "b": "2"}]),
        ("a b\n1 2\n", {"CSVDelimiter": "SPACE"}, [{"a": "1", "b": "2"}]),
        ("a\tb\n1\t2\n", {"CSVDelimiter": "TAB"}, [{"a": "1", "b": "2"}]),
        ('a,b\n"x, ""y""\nz",2\n', {}, [{"a": 'x, "y"\nz', "b": "2"}]),
        ("a,b\n1\n1,2,3\n,\n", {}, [{"a": "1", "b": ""}, {"a": "1", "b": "2"}, {"a": "", "b": ""}]),
        ("1,2\n", {"CSVHeaderLocation": "GIVEN", "CSVHeaders": ["é", "f"]}, [{"é": "1", "f": "2"}]),
        ("a,b\n", {}, []),
        ("", {}, []),
    ],
)
def test_csv(read: Read, text: str, config: dict[str, Any], expected: list[Any]) -> None:
    assert read(text, "x.csv", InputType="CSV", **{"CSVHeaderLocation": "FIRST_ROW", **config}) == expected


@pytest.mark.parametrize(
    ("text", "config", "told"),
    [
        ("a\n1\n", {"CSVHeaderLocation": "GIVEN"}, "'CSVHeaders'"),
        ("a\n1\n", {}, "'CSVHeaderLocation'"),
        ("a\n1\n", {"CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": "COLON"}, "'COLON'"),
        ("a\n" + "x" * 140_000 + "\n", {"CSVHeaderLocation": "FIRST_ROW"}, "field larger than field limit (131072)"),
    ],
)
def test_csv_that_cannot_be_read(read: Read, text: str, config: dict[str, Any], told: str) -> None:
    assert refused(read, text, "x.csv", InputType="CSV", **config) == f"s3://b/x.csv: {told}"


@pytest.mark.parametrize("kind", ["JSONL", "JSON", "CSV"])
def test_gzip(read: Read, kind: str) -> None:
    text = {"JSONL": '{"a":"1"}\n', "JSON": '[{"a":"1"}]', "CSV": "a\n1\n"}[kind]
    config = {"InputType": kind, "CSVHeaderLocation": "FIRST_ROW"}
    assert read(gzip.compress(text.encode()), "x.gz", **config) == [{"a": "1"}]


@pytest.mark.parametrize("damage", ["plain", "cut", "changed"])
def test_damaged_gzip(read: Read, damage: str) -> None:
    whole = gzip.compress(b"".join(b'{"a":%d}\n' % n for n in range(2000)))
    data = {"plain": b"{}\n", "cut": whole[:-20], "changed": whole[:50] + b"\xff" * 40 + whole[90:]}[damage]
    assert refused(read, data, "x.gz", InputType="JSONL").startswith("s3://b/x.gz: ")


def test_a_missing_object(bench: Any) -> None:
    with pytest.raises(StatesError) as raised:
        list(ItemReader(bench.store, "b", "no", {"InputType": "JSONL"}).items())
    assert raised.value.output() == {
        "Error": "States.ItemReaderFailed",
        "Cause": "s3://b/no: no such object: s3://b/no",
    }


@pytest.mark.parametrize(
    ("reader", "told"),
    [
        (
            {"Resource": "arn:aws:states:::s3:listObjectsV2"},
            "ItemReader: expected arn:aws:states:::s3:getObject, found arn:aws:states:::s3:listObjectsV2",
        ),
        ({"ReaderConfig": {"InputType": "PARQUET"}}, "ItemReader: expected InputType JSONL, JSON, CSV, found PARQUET"),
    ],
)
def test_ways_of_reading_that_are_not_here_fail_the_state_and_can_be_caught(
    bench: Any, reader: dict[str, Any], told: str
) -> None:
    base = {"Resource": "arn:aws:states:::s3:getObject", "Arguments": {"Bucket": "b", "Key": "k"}}
    state = {
        "Type": "Map",
        "ItemReader": {**base, **reader},
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "P",
            "States": {"P": {"Type": "Pass", "End": True}},
        },
        "Catch": [{"ErrorEquals": ["States.ItemReaderFailed"], "Next": "E"}],
        "End": True,
    }
    result = bench.run({"M": state, "E": {"Type": "Succeed"}})
    assert result.output == {"Error": "States.ItemReaderFailed", "Cause": told}
