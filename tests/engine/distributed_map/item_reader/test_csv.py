"""The reader of ``InputType: CSV``."""

from __future__ import annotations

import csv as stdlib
import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.engine.distributed_map.item_reader import csv
from genomics_pipeline.engine.distributed_map.item_reader.row_widths import RowWidths
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import ItemReaderCause, UnreadableItems
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import dumps

URI = "s3://b/k.csv"


def read(data: bytes, delimiter: str = ",", headers: Sequence[str] | None = None, block: int = 1 << 20) -> list[Any]:
    blocks = [data[start : start + block] for start in range(0, len(data), block)]
    return [value for values in csv.read(blocks, delimiter, headers) for value in values]


FIELD = st.text('aé,;|\t "\n\r', max_size=6)


@given(
    st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(FIELD, min_size=width, max_size=width), max_size=250)),
    st.sampled_from(list(csv.DELIMITERS.values())),
    st.integers(1, 50),
    st.sampled_from(["\n", "\r\n"]),
)
def test_rows_are_read_as_they_were_written(rows: list[list[str]], delimiter: str, block: int, end: str) -> None:
    headers = [f"h{number}" for number in range(len(rows[0]) if rows else 1)]
    text = io.StringIO()
    writer = stdlib.writer(text, delimiter=delimiter, lineterminator=end, quoting=stdlib.QUOTE_ALL)
    writer.writerows([headers, *rows])
    data = text.getvalue().encode()
    assert read(data, delimiter, None, block) == [dict(zip(headers, row, strict=True)) for row in rows]


# Contents and items as recorded: localstack/localstack test_base_scenarios, test_map_item_reader_base_csv_headers_*,
# test_map_item_reader_csv_headers_*, test_map_item_reader_csv_first_row_extra_fields.
RECORDED = "Value1,Value2,Value3\nValue4,Value5,Value6\n,,,\ntrue,1,'HelloWorld'\nNull,None,\n   \n"
VALUES = [
    ["Value1", "Value2", "Value3"],
    ["Value4", "Value5", "Value6"],
    ["", "", ""],
    ["true", "1", "'HelloWorld'"],
    ["Null", "None", ""],
    ["   ", "", ""],
]


@pytest.mark.parametrize(
    ("first_row", "headers", "names"),
    [
        ("Col1,Col2,Col3\n", None, ["Col1", "Col2", "Col3"]),
        ("", ["H1", "H2", "H3"], ["H1", "H2", "H3"]),
        ("", ["H1"], ["H1"]),
        ("0,True,{}\n", None, ["0", "True", "{}"]),
        ("H1,\n", None, ["H1", ""]),
    ],
)
def test_items_are_those_recorded_on_aws(first_row: str, headers: list[str] | None, names: list[str]) -> None:
    items = read((first_row + RECORDED).encode(), ",", headers)
    assert items == [dict(zip(names, row, strict=False)) for row in VALUES]
    assert [list(item) for item in items] == [names] * 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ufeffa,b\r\n1,2\r\n", [{"a": "1", "b": "2"}]),
        ('a,b\n"x, ""y""\nz",2\n', [{"a": 'x, "y"\nz', "b": "2"}]),
        ("a,b\n1\n1,2,3\n", [{"a": "1", "b": ""}, {"a": "1", "b": "2"}]),
        ("a,b\n\n1,2\n\n", [{"a": "1", "b": "2"}]),
        ("a,b\r1,2\r", [{"a": "1", "b": "2"}]),
        ("a,b\n", []),
        ("", []),
        ("\n\n", []),
    ],
)
def test_line_ends_quotes_and_missing_fields_are_handled(text: str, expected: list[Any]) -> None:
    assert read(text.encode()) == expected


# Recorded: localstack/localstack test_base_scenarios test_map_item_reader_csv_headers_decl_duplicate_headers
@pytest.mark.parametrize("headers", [["H1", "H1", "H3"], None])
def test_duplicate_headers_are_refused(read_failure: Any, headers: list[str] | None) -> None:
    assert read_failure({URI: b"a,a\n1,2\n"}, URI, input_type="CSV", csv_headers=headers) == (
        "CSV headers cannot contain duplicates."
    )


def test_headers_of_more_than_10_kib_are_refused(read_failure: Any) -> None:
    # Developer guide, "ItemReader (Map)"; Service Quotas L-752E372A.
    longest = "é" * 5119 + ",ab"
    assert len(read(f"{longest}\n1,2\n".encode())) == 1
    assert read_failure({URI: f"{longest}c\n1,2\n".encode()}, URI, input_type="CSV") == (
        f"{URI}: expected CSV headers of at most 10240 bytes, found more"
    )


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"a\n1\n\xff\n", "line 3: expected UTF-8, found the byte 0xff of another encoding"),
        (b"a\n" + b"x" * 9_000_000, "expected lines of at most 8388608 bytes, found a longer one"),
        (b'a\n"' + b"x\n" * 4_500_000 + b'"\n', "line 4194306: field larger than field limit (8388608)"),
        (
            b"a,b\n1,2\n" + b'"' + b"x\n" * 2_500_000 + b'","' + b"x\n" * 2_500_000 + b'"\n',
            "item 2: expected at most 8388608 bytes, found more",
        ),
    ],
)
def test_invalid_content_is_reported(read_failure: Any, data: bytes, cause: str) -> None:
    assert read_failure({URI: data}, URI, input_type="CSV") == f"{URI}: {cause}"


def test_a_field_may_exceed_pythons_default_limit() -> None:
    assert len(read(b"a\n" + b"x" * 1_000_000)[0]["a"]) == 1_000_000 < quotas.READER_ITEM.value


USUAL = st.sampled_from(["", "a", "é", " b", "c c", "\x7f", "1.5"])
CHARACTERS = st.sampled_from(["x\\y", "\x00", "\x1f", "\ufeff", "\u2028", "a\r", "\t", "\n", "\r", "b\rc", "\n\n"])
QUOTES = st.sampled_from(['"', 'a"b"', '"a"b', '"a" ', ' "a"', '"a""b"', '"a"b"', '"two', '"two\nlines"', "DELIMITER"])
QUOTED = st.sampled_from(['"q"', '""', '"aDELIMITERb"', '"é "'])


@settings(max_examples=400)
@given(
    st.integers(1, 3).flatmap(
        lambda width: st.lists(st.lists(USUAL, min_size=width, max_size=width), min_size=1, max_size=8)
    ),
    st.lists(st.tuples(st.integers(0, 23), QUOTED), max_size=3),
    st.none() | st.tuples(st.integers(0, 23), CHARACTERS | QUOTES),
    st.sampled_from(list(csv.DELIMITERS.values())),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([10, 50, 1000]),
    st.sampled_from([True, True, False]),
)
def test_texts_are_those_of_the_items_that_are_read(
    rows: list[list[str]],
    quoted: list[tuple[int, str]],
    special: tuple[int, str] | None,
    delimiter: str,
    has_header: bool,
    end: str,
    block: int,
    last: bool,
) -> None:
    width = len(rows[0])
    fields = [field.replace(" ", "_") for row in rows for field in row]
    for position, field in (*quoted, *([special] if special else [])):
        fields[position % len(fields)] = field.replace("DELIMITER", delimiter)
    lines = [delimiter.join(fields[start : start + width]) for start in range(0, len(fields), width)]
    headers = None if has_header else ["h", 'é"', "i"][:width]
    first = [delimiter.join(["a", '"b c"', "d"][:width])] if has_header else []
    data = (end.join([*first, *lines]) + (end if last else "")).encode()
    blocks = [data[start : start + block] for start in range(0, len(data), block)]

    def outcome(read_texts: Any) -> Any:
        try:
            return [text for texts in read_texts() for text in texts]
        except (UnreadableItems, ItemReaderCause) as error:
            return type(error), str(error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv, "LEAST_PLAIN_BYTES", 1)
        found = outcome(lambda: csv.texts(blocks, delimiter, headers))
        counted = outcome(lambda: ([number] for number in csv.counts(blocks, delimiter, headers)))
    assert counted == found or sum(counted) == len(found)
    assert found == outcome(lambda: (list(map(dumps, items)) for items in csv.read(blocks, delimiter, headers)))


def test_plain_rows_are_read_column_by_column(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f"{number},é{number}\n" for number in range(20_000)).encode()
    blocks = [b"a,b\n" + lines, lines]
    monkeypatch.setattr(csv, "_read", None)
    texts = [text for chunk in csv.texts(blocks) for text in chunk]
    assert texts == [dumps({"a": str(number % 20_000), "b": f"é{number % 20_000}"}) for number in range(40_000)]


def test_quoted_rows_are_read_column_by_column(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f'"{number}";"a;{number}";\r\n' for number in range(20_000)).encode()
    blocks = [b'"a";"b";c\r\n' + lines, lines]
    monkeypatch.setattr(csv, "_read", None)
    texts = [text for chunk in csv.texts(blocks, ";") for text in chunk]
    assert texts == [dumps({"a": str(n % 20_000), "b": f"a;{n % 20_000}", "c": ""}) for n in range(40_000)]
    assert sum(csv.counts(blocks, ";")) == 40_000


def test_lines_are_numbered_after_plain_parts() -> None:
    long = b"x" * (quotas.READER_ITEM.value - 10)
    blocks = [b"a,b\n" + b"1,2\n" * 20_000, b'1,"' + long + b"\n", long + b'"\n']
    causes = set()
    for read_all in (csv.texts, csv.read):
        with pytest.raises(UnreadableItems) as raised:
            list(read_all(blocks))
        causes.add(str(raised.value))
    assert causes == {"line 20003: field larger than field limit (8388608)"}


@settings(max_examples=200)
@given(
    st.lists(st.lists(st.sampled_from(["", "a", '"q"', '"a,b"']), min_size=1, max_size=4), min_size=1, max_size=40),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_rows_that_do_not_fit_the_header_are_found_on_their_lines(rows: list[list[str]], end: str, last: bool) -> None:
    """Plain parts, of which numpy counts the fields, and others give the same, in parts of any size."""
    lines = [",".join(row) or '""' for row in rows]
    special = '"two\nlines",x,"y\r\n"'  # is never plain
    data = end.join(["h,i", *lines, special, *lines]) + (end if last else "")
    expected: dict[str, list[tuple[int, int]]] = {"short": [], "long": []}
    text = io.StringIO(data, newline="")
    reader = stdlib.reader(text)
    begin = 1
    for number, row in enumerate(reader):
        if number and len(row) != 2:
            expected["short" if len(row) < 2 else "long"].append((begin, len(row)))
        begin = reader.line_num + 1
    for least, block in ((1, 30), (1, 1000), (1 << 20, 1000)):
        blocks = [data.encode()[start : start + block] for start in range(0, len(data.encode()), block)]
        widths = RowWidths()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(csv, "LEAST_PLAIN_BYTES", least)
            list(csv.counts(blocks, ",", None, widths))
        for kind, misfits in (("short", widths.short), ("long", widths.long)):
            first = expected[kind][0] if expected[kind] else (0, 0)
            assert (misfits.number, misfits.line, misfits.fields) == (len(expected[kind]), *first)
