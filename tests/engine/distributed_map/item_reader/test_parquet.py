"""The reader of ``InputType: PARQUET``."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet as arrow_parquet

from genomics_pipeline.engine.distributed_map.item_reader import parquet
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems
from genomics_pipeline.model import budgets, quotas

URI = "s3://b/k.parquet"


def encode(rows: list[dict[str, Any]], schema: Any = None, **options: Any) -> bytes:
    out = io.BytesIO()
    arrow_parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), out, **options)
    return out.getvalue()


def read(data: bytes) -> list[Any]:
    return [value for values in parquet.read(io.BytesIO(data)) for value in values]


SCHEMA = pyarrow.schema(
    {
        "id": pyarrow.int64(),
        "name": pyarrow.string(),
        "share": pyarrow.float64(),
        "lanes": pyarrow.list_(pyarrow.struct({"lane": pyarrow.string(), "ok": pyarrow.bool_()})),
    }
)
ROW = st.fixed_dictionaries(
    {
        "id": st.none() | st.integers(-(2**63), 2**63 - 1),
        "name": st.none() | st.text(st.characters(exclude_categories=["Cs"])),
        "share": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "lanes": st.none()
        | st.lists(st.fixed_dictionaries({"lane": st.text("aé"), "ok": st.none() | st.booleans()}), max_size=2),
    }
)


@given(st.lists(ROW, max_size=20), st.integers(1, 7), st.sampled_from(["snappy", "gzip", "zstd"]))
def test_rows_are_read_as_they_were_encode(rows: list[dict[str, Any]], group: int, codec: str) -> None:
    data = encode(rows, SCHEMA, row_group_size=group, compression=codec)
    assert read(data) == rows
    assert parquet.describe(io.BytesIO(data))[0] == len(rows)


ROWS = [
    {
        "id": number,
        "name": f"read-{number // 3:05d}" if number % 7 else None,
        "share": number / 8,
        "kept": number % 2 == 0,
        "data": f"x{number % 5}",
        "lane": {"lane": f"L{number % 4:03d}", "reads": number},
        "files": [f"s{number // 2}.fq", f"s{number}.fq"][: number % 3],
    }
    for number in range(300)
]
TEXT = ("name", "data", "lane.lane", "files.list.element")
NUMBERS = ("id", "lane.reads")


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize(
    "encodings",
    [
        None,
        {},
        dict.fromkeys(TEXT, "DELTA_BYTE_ARRAY"),
        dict.fromkeys(TEXT, "DELTA_LENGTH_BYTE_ARRAY"),
        {"name": "DELTA_BYTE_ARRAY", "data": "PLAIN", "share": "BYTE_STREAM_SPLIT"},
        {**dict.fromkeys(NUMBERS, "DELTA_BINARY_PACKED"), "kept": "RLE"},
        dict.fromkeys((*NUMBERS, "share"), "BYTE_STREAM_SPLIT"),
    ],
)
@pytest.mark.parametrize("columns", [5, 7])
def test_all_encodings_and_compressions_are_read(
    encodings: dict[str, str] | None, codec: str, version: str, columns: int
) -> None:
    """Check flat and nested columns, in row groups that differ, with dictionaries and without."""
    rows = [dict(list(row.items())[:columns]) for row in ROWS]
    options: dict[str, Any] = {"compression": codec, "data_page_version": version, "row_group_size": 128}
    if encodings is not None:
        given = {name: one for name, one in encodings.items() if name.partition(".")[0] in rows[0]}
        options |= {"use_dictionary": False, "column_encoding": given or None}
    assert read(encode(rows, **options)) == rows


def test_values_without_their_prefixes_are_read_in_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check a column of few stored bytes, each of whose values is long."""
    rows = [{"name": "x" * 5000 + f"{number:05d}"} for number in range(500)]
    data = encode(rows, use_dictionary=False, column_encoding={"name": "DELTA_BYTE_ARRAY"}, compression="none")
    assert len(data) < 20 * 5000
    monkeypatch.setattr(parquet, "_PREFIXED_BYTES", 200_000)
    chunks = list(parquet.texts(io.BytesIO(data)))
    assert sum(map(len, chunks)) == 500
    assert max(map(len, chunks)) * 5000 <= 200_000


def test_a_damaged_page_is_an_error_of_the_content_and_one_of_the_disk_is_none() -> None:
    data = bytearray(encode(ROWS, compression="snappy"))
    data[60:200] = b"\xff" * 140
    with pytest.raises(UnreadableItems, match=r"^expected Parquet: "):
        read(bytes(data))

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if size and self.tell() < 4000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    with pytest.raises(OSError, match="Input/output error") as raised:
        list(parquet.texts(Failing(encode(ROWS))))
    assert raised.value.errno == 5


def test_many_rows_come_in_chunks() -> None:
    data = encode([{"a": number} for number in range(20_000)])
    assert [len(values) for values in parquet.read(io.BytesIO(data))] == [16_384, 3616]
    data = encode([{"a": [number]} for number in range(2500)])
    assert [len(values) for values in parquet.read(io.BytesIO(data))] == [1024, 1024, 452]


DAYS = st.dates(date(990, 1, 1))
TIMES = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))
COLUMNS = {
    pyarrow.string(): st.text('aé,"\\\n\x7f', max_size=4),
    pyarrow.large_string(): st.sampled_from(["a", "b,", "c"]),
    pyarrow.int8(): st.integers(-128, 127),
    pyarrow.uint64(): st.integers(0, 2**64 - 1),
    pyarrow.bool_(): st.booleans(),
    pyarrow.float64(): st.floats(),
    pyarrow.float32(): st.floats(width=32),
    pyarrow.date32(): DAYS,
    pyarrow.date64(): DAYS,
    pyarrow.timestamp("s"): TIMES.map(lambda each: each.replace(microsecond=0)),
    pyarrow.timestamp("ms", "UTC"): TIMES.map(lambda each: each.replace(microsecond=each.microsecond // 1000 * 1000)),
    pyarrow.timestamp("us"): st.datetimes(datetime(990, 1, 1)),
    pyarrow.timestamp("us", "Europe/Berlin"): TIMES,
    pyarrow.timestamp("ns"): TIMES,
    pyarrow.decimal128(15, 4): st.decimals(-(10**10), 10**10, places=4),
    pyarrow.decimal128(15, 14): st.decimals(-9, 9, places=14),
    pyarrow.decimal128(20, 2): st.decimals(-(10**17), 10**17, places=2),
    pyarrow.binary(): st.binary(max_size=3),
}


@given(
    st.lists(st.sampled_from(list(COLUMNS)), min_size=1, max_size=4).flatmap(
        lambda kinds: st.tuples(
            st.just(kinds), st.lists(st.tuples(*(st.none() | COLUMNS[kind] for kind in kinds)), min_size=1, max_size=5)
        )
    )
)
def test_rows_written_column_by_column_are_those_of_values(table: tuple[list[Any], list[tuple[Any, ...]]]) -> None:
    kinds, rows = table
    columns = [pyarrow.array(values, kind) for kind, values in zip(kinds, zip(*rows, strict=True), strict=True)]
    batch = pyarrow.record_batch(columns, [f"c{number}" for number in range(len(kinds))])
    texts = parquet._simple_rows(batch)
    assert texts is None or texts == parquet._converted_rows(batch)
    first = batch.slice(1)
    assert not len(first) or (found := parquet._simple_rows(first)) is None or found == parquet._converted_rows(first)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pyarrow.string(), "é"),
        (pyarrow.date32(), date(1000, 1, 1)),
        (pyarrow.timestamp("ns"), datetime(2026, 11, 29, 1, 2, 3, 4)),
        (pyarrow.timestamp("us", "UTC"), datetime(1969, 11, 29, 1, 2, 3, 400)),
        (pyarrow.decimal128(15, 2), Decimal("1.50")),
        (pyarrow.float64(), 1e300),
    ],
)
def test_columns_of_simple_types_are_written_as_columns(kind: Any, value: Any) -> None:
    batch = pyarrow.record_batch([pyarrow.array([value, None], kind)], ["c"])
    assert parquet._simple_rows(batch) == parquet._converted_rows(batch)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (pyarrow.date32(), date(2026, 11, 24), "2026-11-24"),
        (pyarrow.time64("us"), time(1, 2, 3), "01:02:03"),
        (pyarrow.timestamp("ms"), datetime(2026, 11, 24, 1, 2, 3, 4000), "2026-11-24T01:02:03.004000"),
        (pyarrow.timestamp("ns", "UTC"), datetime(2026, 11, 24, tzinfo=UTC), "2026-11-24T00:00:00Z"),
        (pyarrow.duration("s"), timedelta(minutes=1), 60),
        (pyarrow.decimal128(9, 2), Decimal("12.50"), 12.5),
        (pyarrow.decimal128(20, 0), Decimal("12345678901234567890"), 12345678901234567890),
        (pyarrow.binary(), b"\x00\xff", "AP8="),
        (pyarrow.map_(pyarrow.string(), pyarrow.int8()), {"a": 1}, {"a": 1}),
        (pyarrow.map_(pyarrow.int8(), pyarrow.int8()), {7: 1}, {"7": 1}),
        (pyarrow.float64(), float("nan"), None),
        (pyarrow.float64(), float("-inf"), None),
        (pyarrow.null(), None, None),
    ],
)
def test_types_are_converted_to_json(kind: Any, value: Any, expected: Any) -> None:
    column = [list(value.items())] if isinstance(value, dict) else [value]
    out = io.BytesIO()
    arrow_parquet.write_table(pyarrow.table({"v": pyarrow.array(column, kind)}), out)
    assert read(out.getvalue()) == [{"v": expected}]


@pytest.mark.parametrize("data", [b"", b"PAR1", b"not Parquet at all, but as long as a footer"])
def test_content_other_than_parquet_is_reported(read_failure: Any, data: bytes) -> None:
    assert read_failure({URI: data}, URI, input_type="PARQUET").startswith(f"{URI}: expected Parquet: ")


# Developer guide, "ItemReader (Map)": row groups of at most 256 MB, a footer of at most 5 MB, an item of at most 8 MB.
def test_parts_that_are_too_large_are_refused(read_failure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode([{"a": "x" * 100}])
    monkeypatch.setattr(quotas, "READER_ITEM", replace(quotas.READER_ITEM, value=107))
    with pytest.raises(UnreadableItems, match=r"^item 1: expected at most 107 bytes, found more$"):
        read(data)
    monkeypatch.setattr(quotas, "PARQUET_ROW_GROUP", replace(quotas.PARQUET_ROW_GROUP, value=10))
    assert read_failure({URI: data}, URI, input_type="PARQUET").startswith(
        f"{URI}: expected row groups of at most 10 bytes, found "
    )
    monkeypatch.setattr(quotas, "PARQUET_FOOTER", replace(quotas.PARQUET_FOOTER, value=20))
    assert read_failure({URI: data}, URI, input_type="PARQUET").startswith(
        f"{URI}: expected a footer of at most 20 bytes, found "
    )


def test_a_long_value_that_a_dictionary_repeats_is_expanded_in_parts() -> None:
    value = "x" * (1 << 18)
    column = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0, None, 0, 0] * 256, pyarrow.int32()), [value])
    out = io.BytesIO()
    arrow_parquet.write_table(pyarrow.table({"a": column, "b": range(1024)}), out)
    assert len(out.getvalue()) < 1 << 20
    sizes, numbers = [], []
    for rows in parquet.read(io.BytesIO(out.getvalue())):
        sizes.append(sum(len(row["a"] or "") for row in rows))
        numbers += [row["b"] for row in rows]
    assert numbers == list(range(1024))
    assert sum(sizes) == 768 * len(value)
    assert max(sizes) <= 64 << 20


def test_a_list_that_a_few_bytes_stand_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode([{"a": [0] * 1_000_000}])
    assert len(data) < 10_000
    monkeypatch.setattr(quotas, "READER_ITEM", replace(quotas.READER_ITEM, value=1_999_999))
    with pytest.raises(UnreadableItems, match=r"^item 1: expected at most 1999999 bytes, found more$"):
        read(data)
    monkeypatch.setattr(budgets, "PARQUET_VALUES", replace(budgets.PARQUET_VALUES, value=999_999))
    expected = "^expected at most 999,999 values in the lists of a row group, found 1,000,000: a.list.element$"
    with pytest.raises(UnreadableItems, match=expected):
        read(data)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pyarrow.list_(pyarrow.int8()), [1, 2]),
        (pyarrow.large_list(pyarrow.int8()), [1, 2]),
        (pyarrow.list_(pyarrow.int8(), 2), [1, 2]),
        (pyarrow.map_(pyarrow.string(), pyarrow.list_(pyarrow.int8())), {"a": [1], "b": []}),
        (pyarrow.struct({"a": pyarrow.list_(pyarrow.string())}), {"a": ["b", None]}),
    ],
)
def test_long_rows_come_in_parts(kind: Any, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_BATCH_BYTES", 4)
    rows = [{"v": value}, {"v": None}, {"v": value}, {"v": value}]
    chunks = list(parquet.read(io.BytesIO(encode(rows, pyarrow.schema({"v": kind})))))
    assert [row for chunk in chunks for row in chunk] == rows
    assert len(chunks) >= 3


def repeated(text: str | bytes, number: int) -> Any:
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * number, pyarrow.int32()), [text])


def nested(number: int, text: str) -> dict[str, Any]:
    """Return columns of rows of one text each, which a dictionary repeats, by the way they are nested."""
    offsets = pyarrow.array(range(number + 1), pyarrow.int32())
    lists = pyarrow.ListArray.from_arrays(offsets, repeated(text, number))
    keys = repeated("k", number)
    return {
        "struct": pyarrow.StructArray.from_arrays([repeated(text, number)], ["m"]),
        "list": lists,
        "map": pyarrow.MapArray.from_arrays(offsets, keys, repeated(text, number)),
        "list in struct": pyarrow.StructArray.from_arrays([lists], ["m"]),
        "struct in list": pyarrow.ListArray.from_arrays(
            offsets, pyarrow.StructArray.from_arrays([repeated(text, number)], ["m"])
        ),
        "binary": pyarrow.StructArray.from_arrays([repeated(text.encode(), number)], ["m"]),
    }


@pytest.mark.parametrize("way", nested(1, ""))
def test_long_text_in_nested_values_is_expanded_in_parts(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes that stand for gigabytes: all rows of a batch at once would not fit into the memory."""
    monkeypatch.setattr(parquet, "_BATCH_BYTES", 5000)
    out = io.BytesIO()
    arrow_parquet.write_table(pyarrow.table({"v": nested(64, "x" * 1000)[way]}), out, store_schema=False)
    chunks = list(parquet.read(io.BytesIO(out.getvalue())))
    rows = [row for chunk in chunks for row in chunk]
    assert len(rows) == 64
    assert all(row == rows[0] for row in rows)
    assert max(len(chunk) for chunk in chunks) <= 5


@pytest.mark.parametrize("way", ["list", "struct in list"])
def test_a_row_that_a_dictionary_makes_too_long_is_refused_unexpanded(way: str) -> None:
    text, number = "x" * (1 << 20), 1_000_000  # a terabyte
    members = nested(number, text)[way].values
    column = pyarrow.ListArray.from_arrays(pyarrow.array([0, number], pyarrow.int32()), members)
    out = io.BytesIO()
    arrow_parquet.write_table(pyarrow.table({"v": column}), out, dictionary_pagesize_limit=1 << 21)
    assert len(out.getvalue()) < 1 << 18
    with pytest.raises(UnreadableItems, match=r"^item 1: expected at most .*, found more$"):
        read(out.getvalue())


@pytest.mark.parametrize("size", [1, 3000])
def test_nested_text_whose_dictionary_ends_is_read(size: int) -> None:
    rows = [{"v": [{"m": f"{number}{'x' * (number % size)}"}]} for number in range(5000)]
    data = encode(rows, dictionary_pagesize_limit=20_000, data_page_size=4000, row_group_size=4000)
    assert read(data) == rows


@pytest.mark.parametrize("way", nested(1, ""))
def test_much_text_of_few_bytes_is_refused(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pyarrow.table({"v": nested(60, "x" * 1000)[way]})
    out = io.BytesIO()
    arrow_parquet.write_table(table, out, store_schema=False, row_group_size=30)
    monkeypatch.setattr(budgets, "PARQUET_TEXT", replace(budgets.PARQUET_TEXT, value=40_000))
    assert len(read(out.getvalue())) == 60, "it is counted by row groups"
    arrow_parquet.write_table(table, out := io.BytesIO(), store_schema=False)
    with pytest.raises(UnreadableItems, match=r"^expected at most 0 MiB of text in a row group, found more$"):
        read(out.getvalue())


@pytest.mark.parametrize(
    ("longest", "options", "expected"),
    [
        (9, {}, True),
        (2000, {}, False),
        (9, {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY"}}, False),
    ],
)
def test_dictionaries_are_read_where_values_may_repeat_much(
    longest: int, options: dict[str, Any], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[dict[str, Any]] = [{"text": f"{number % 7}"} for number in range(70_000)] + [
        {"text": "x" * longest},
        {"text": None},
    ]
    data = encode(rows, **options)
    assert parquet._repeats_little(parquet._open(io.BytesIO(data)), 0) is expected
    if not options:  # Arrow cannot make dictionaries of all encodings
        assert read(data) == rows
        monkeypatch.setattr(parquet, "_LARGE_GROUP", len(rows) + 1)
        assert read(data) == rows
