"""The reader of ``InputType: JSONL``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.engine.distributed_map.item_reader import json_lines
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems
from genomics_pipeline.model import json_text, quotas

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    # half of a surrogate pair cannot be encoded
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aé.~/", max_size=3), inner, max_size=3),
    max_leaves=8,
)
URI = "s3://b/k.jsonl"


def read(data: bytes, block: int = 1 << 20) -> list[Any]:
    blocks = [data[start : start + block] for start in range(0, len(data), block)]
    return [value for values in json_lines.read(blocks) for value in values]


@given(st.lists(JSON), st.integers(1, 40), st.sampled_from(["\n", "\r\n", "\n\n", "\n \t\n"]), st.booleans())
def test_items_are_read_as_they_were_written(items: list[Any], block: int, between: str, last: bool) -> None:
    text = between.join(json.dumps(item, ensure_ascii=False) for item in items) + (between if last else "")
    assert read(text.encode(), block) == items


MARK = json_text.dumps(json_text._MARK)


@pytest.mark.parametrize(
    "lines",
    [
        [b'{"a":[1', b"2]}"],
        [b'{"a":[1', b"2]}", b"3," + MARK + b",4"],
        [b'{"a":[1', b"2]}", rb'3,"\u007f",4'],
        [b"1,2"],
        [b"[1", b"2]", b"3," + MARK + b",4", b"5"],
    ],
)
def test_lines_that_are_json_only_together_are_invalid(lines: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"expected|unexpected|content"):
        json_text.compact_lines(b"\n".join(lines))
    with pytest.raises(UnreadableItems):
        list(json_lines.texts([b"\n".join(lines)]))


@given(st.lists(JSON | st.just(json_text._MARK), min_size=1))
def test_texts_are_those_that_are_written_for_the_values(items: list[Any]) -> None:
    lines = [json.dumps(item).encode() for item in items]
    assert json_text.dumps_each(items) == list(map(json_text.dumps, items))
    compact = b"\n".join(map(json_text.dumps, items))
    assert json_text.compact_lines(b"\n".join(lines)) == (compact, len(items))
    assert json_text._MARK_BYTE in compact or json_text.compact_lines(compact)[0] is compact


LINES = st.sampled_from(
    [
        *(b'{"a":1}', b"[1.5,null]", b'"\xc3\xa9"'),  # as they are written
        *(b"", b" \t", b"\r", b"2\r", b" 3", b"1.50", b"1e2", b'{"a":1,"a":2}', rb'"\u00e9"', rb'"\u007f"', b'"\x7f"'),
        *(b"[" * 300 + b"]" * 300, b"1" * 30, b"1e400", b"-0", b"18446744073709551616"),
        *(b"x", b'"\xff"', rb'"\ud83d"', b"NaN", b"[" * 2000 + b"]" * 2000, b"1,2", b"[1", b"2]", b"\xef\xbb\xbf4"),
    ]
)


def one_by_one(data: bytes) -> list[bytes] | str:
    """Return the items of lines as compact JSON, or the message of the first error."""
    texts = []
    for number, line in enumerate(data.removeprefix(json_lines.BOM).split(b"\n"), 1):
        try:
            texts += [json_text.dumps(orjson.loads(line))] if line.strip() else []
        except orjson.JSONDecodeError as error:
            try:
                line.decode()
            except UnicodeDecodeError as encoding:
                return f"line {number}: expected UTF-8, found the byte 0x{line[encoding.start]:02x} of another encoding"
            return f"line {number}, column {error.colno}: {error.msg}"
    return texts


def outcome(read: Callable[[Iterable[bytes]], Iterator[Any]], blocks: list[bytes]) -> list[Any] | str:
    try:
        return list(read(blocks))
    except UnreadableItems as error:
        return str(error)


@settings(max_examples=300)
@given(st.lists(LINES, max_size=8), st.integers(1, 60), st.sampled_from([b"", json_lines.BOM]), st.booleans())
def test_lines_of_any_kind_are_what_they_are_one_by_one(lines: list[bytes], size: int, bom: bytes, last: bool) -> None:
    data = bom + b"\n".join(lines) + (b"\n" if last else b"")
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    expected = one_by_one(data)
    assert outcome(lambda blocks: chain.from_iterable(json_lines.texts(blocks)), blocks) == expected
    values = outcome(lambda blocks: chain.from_iterable(json_lines.read(blocks)), blocks)
    assert (values if isinstance(values, str) else list(map(json_text.dumps, values))) == expected
    counted = outcome(json_lines.counts, blocks)
    if isinstance(counted, str) or isinstance(expected, str):
        assert counted == expected
        return
    assert sum(items for items, _ in counted) == len(expected)
    if all(are_compact for _, are_compact in counted):
        assert list(chain.from_iterable(json_lines.texts(blocks, are_compact=True))) == expected


@pytest.mark.parametrize("data", [b"", b"\n", b" \n\n", b"\xef\xbb\xbf"])
def test_content_without_items_has_none(data: bytes) -> None:
    assert read(data) == []


def test_a_byte_order_mark_is_skipped() -> None:
    assert read(b"\xef\xbb\xbf1\n2\n") == [1, 2]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b'{"a":1}\n\n{"a":\n', "line 3, column 6: unexpected end of data"),
        (b"1\nNaN\n", "line 2, column 1: unexpected character, expected a JSON value"),
        (b'1\n"\xff"\n', "line 2: expected UTF-8, found the byte 0xff of another encoding"),
        (b"1 2\n", "line 1, column 3: unexpected content after document"),
    ],
)
def test_invalid_json_is_reported_with_the_object_and_the_line(read_failure: Any, data: bytes, cause: str) -> None:
    assert read_failure({URI: data}, URI, input_type="JSONL") == f"{URI}: {cause}"


def test_lines_are_numbered_across_blocks() -> None:
    with pytest.raises(UnreadableItems, match="line 2001, column "):
        read(b"1\n" * 2000 + b"x\n", 100)


def test_an_item_of_more_than_8_mib_is_refused(read: Any, read_failure: Any) -> None:
    # Developer guide, "ItemReader (Map)": an item of up to 8 MB.
    longest = b'"' + b"x" * (quotas.READER_ITEM.value - 2) + b'"'
    assert [len(item) for item in read({URI: longest + b"\n1\n"}, URI, input_type="JSONL")[:1]] == [8388606]
    for data in (longest + b" ", longest + b" \n", b"1\n" + longest + b" \n1\n"):
        assert read_failure({URI: data}, URI, input_type="JSONL") == (
            f"{URI}: expected lines of at most 8388608 bytes, found a longer one"
        )
