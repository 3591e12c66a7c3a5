"""The reader of ``InputType: JSON`` with ItemsPointer (RFC 6901)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.engine.distributed_map.item_reader import json_array
from genomics_pipeline.model import quotas

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('é"\\[],{}1'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aé.~/", max_size=3), inner, max_size=3),
    max_leaves=8,
)
URI = "s3://b/k.json"
NOT_ITERABLE = "Attempting to map over non-iterable node."


def read(data: bytes, pointer: str = "", block: int = 1 << 20) -> list[Any]:
    blocks = [data[start : start + block] for start in range(0, len(data), block)]
    return [value for values in json_array.read(blocks, pointer) for value in values]


@given(st.lists(JSON), st.integers(1, 40), st.sampled_from([None, 1]))
def test_an_array_is_read_as_written_regardless_of_block_boundaries(
    items: list[Any], block: int, indent: int | None
) -> None:
    assert read(json.dumps(items, indent=indent, ensure_ascii=False).encode(), "", block) == items


@given(st.lists(st.text("a.é~/0", max_size=3), max_size=3), st.lists(JSON, max_size=3), st.integers(1, 40), JSON)
def test_a_pointer_finds_the_array_in_any_document(path: list[str], items: list[Any], block: int, other: Any) -> None:
    data: Any = items
    for name in reversed(path):
        data = {f"{name}!": other, name: data, ".".join(path) + "?": []}
    pointer = "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in path)
    assert read(json.dumps(data).encode(), pointer, block) == items


@pytest.mark.parametrize(
    ("data", "pointer", "expected"),
    [
        ({"a": {"b": [1]}}, "/a/b", [1]),
        ({"a": [[], [7]]}, "/a/1", [7]),
        ({"a.b": [0], "a": {"b": [1]}}, "/a/b", [1]),
        ({"a/b": {"m~n": [3]}}, "/a~1b/m~0n", [3]),
        ({"~1": [4]}, "/~01", [4]),
        ({"": [5]}, "/", [5]),
    ],
)
def test_a_pointer_follows_members_elements_and_escapes(data: Any, pointer: str, expected: list[Any]) -> None:
    assert read(json.dumps(data).encode(), pointer) == expected


def test_numbers_keep_their_kind_and_size() -> None:
    numbers = read(b"[1,1.0,1e3,123456789012345678901234567890]")
    assert [(type(number), number) for number in numbers] == [
        (int, 1),
        (float, 1.0),
        (float, 1000.0),
        (int, 123456789012345678901234567890),
    ]


def test_many_items_come_in_chunks() -> None:
    data = json.dumps(list(range(2500))).encode()
    assert [len(values) for values in json_array.read([data])] == [1000, 1000, 500]


def test_text_after_the_array_is_not_read() -> None:
    assert read(b'{"a":[1],"b":oops', "/a") == [1]


# Recorded: localstack/localstack test_base_scenarios test_map_item_reader_json_no_json_list_object
@pytest.mark.parametrize(("data", "pointer"), [(b'{"Hello":"world"}', ""), (b'{"a":7}', "/a"), (b"", ""), (b"7", "")])
def test_a_value_other_than_an_array_fails_with_awss_cause(read_failure: Any, data: bytes, pointer: str) -> None:
    assert read_failure({URI: data}, URI, input_type="JSON", items_pointer=pointer) == NOT_ITERABLE


@pytest.mark.parametrize("pointer", ["/b", "/a/b", "/l/2", "/l/x", "/l/-"])
def test_a_pointer_to_nothing_is_reported(read_failure: Any, pointer: str) -> None:
    data = b'{"a":7,"l":[[1],[2]]}'
    assert read_failure({URI: data}, URI, input_type="JSON", items_pointer=pointer) == (
        f"{URI}: expected items at ItemsPointer {pointer}, found nothing there"
    )


@pytest.mark.parametrize(
    ("data", "pointer", "cause"),
    [
        (b"[1,]", "", "expected JSON: Expecting value in item 2"),
        (b"[1,2", "", "expected , or ], found the end"),
        (b"[1 2]", "", "expected , or ], found 2"),
        (b"[", "", "expected JSON: Expecting value in item 1"),
        (b'[{"a":1},{"a" 1}]', "", "expected JSON: Expecting ':' delimiter in item 2"),
        (b'["a', "", "expected JSON: Unterminated string starting at in item 1"),
        (b"[1,oops" + b" " * 99 + b"]", "", "expected JSON: Expecting value in item 2"),
        (b"[1,NaN]", "", "expected JSON, found NaN"),
        (b"[-Infinity]", "", "expected JSON, found -Infinity"),
        (b'["\xff"]', "", "expected UTF-8, found the byte 0xff of another encoding"),
        (b'{"a" []}', "/a", "expected :, found ["),
        (b"{a:[]}", "/a", 'expected ", found a'),
        (b'{"b":x,"a":[]}', "/a", "expected JSON: Expecting value"),
    ],
)
def test_invalid_json_is_reported(read_failure: Any, data: bytes, pointer: str, cause: str) -> None:
    assert read_failure({URI: data}, URI, input_type="JSON", items_pointer=pointer) == f"{URI}: {cause}"


def test_an_item_of_more_than_8_mib_is_refused(read: Any, read_failure: Any) -> None:
    longest = b'"' + "é".encode() * (quotas.READER_ITEM.value // 2 - 1) + b'"'
    assert len(read({URI: b"[1," + longest + b"]"}, URI, input_type="JSON")) == 2
    longer = b'"x' + longest[1:]
    for data in (b"[1," + longer + b"]", b"[1," + longer + b",2]", b"[1," + longer + b" " * quotas.READER_ITEM.value):
        assert read_failure({URI: data}, URI, input_type="JSON") == (
            f"{URI}: item 2: expected at most 8388608 bytes, found more"
        )


def test_an_array_must_begin_within_the_first_16_mib(read_failure: Any) -> None:
    # Developer guide, "ItemReader (Map)", ItemsPointer.
    data = b'{"b":"' + b"x" * quotas.BYTES_BEFORE_ITEMS.value + b'","a":[]}'
    assert read_failure({URI: data}, URI, input_type="JSON", items_pointer="/a") == (
        f"{URI}: expected the items within the first 16777216 bytes"
    )
