"""Rows of Arrow columns as compact JSON, built column by column: the texts are those of Python values, but faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

_UTC = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
_EXACT_DIGITS = 15  # of a decimal that a float holds


def row_texts(names: Sequence[str], columns: Sequence[Any], *, may_need_escapes: bool = True) -> list[bytes] | None:
    """Return an object for each row, as compact JSON.

    Args:
        names: The names of the members.
        columns: An array for each of them, all of the same length, at least one.
        may_need_escapes: Whether text may contain characters that must be escaped.

    Returns:
        None if a column is not of a simple type, or has text that must be escaped.
    """
    import pyarrow
    from pyarrow import compute

    parts: list[Any] = []
    before = "{"
    for name, column in zip(names, columns, strict=True):
        before += f"{orjson.dumps(name).decode()}:"
        text = _text_of(column)
        if text is not None and may_need_escapes and _needs_escapes(_bytes_of(text)):
            return None
        after, values = ("", _json_values(column, text))
        if text is not None and not text.null_count:
            before, values, after = before + '"', text, '"'
        if values is None:
            return None
        parts += [pyarrow.scalar(before, pyarrow.large_string()), values]
        before = after + ","
    ends = pyarrow.scalar(f"{after}}}\n", pyarrow.large_string())
    rows = compute.binary_join_element_wise(*parts, ends, pyarrow.scalar("", pyarrow.large_string()))
    return _bytes_of(rows).split(b"\n")[:-1]


def _text_of(column: Any) -> Any:
    """Return a column of text as large strings; None if it is no text."""
    import pyarrow
    from pyarrow import types

    if types.is_dictionary(column.type):  # it may have far more values than the column
        return _text_of(column.dictionary.take(column.indices))
    is_text = types.is_string(column.type) or types.is_large_string(column.type)
    return column.cast(pyarrow.large_string()) if is_text else None


def _json_values(column: Any, text: Any) -> Any:
    """Return the JSON of each value of a column, as large strings; None if this is not how it can be written.

    Args:
        column: The column.
        text: Its values as large strings without characters that must be escaped; None if they are not text.
    """
    import pyarrow
    from pyarrow import compute, types

    kind = column.type
    if text is not None:
        return _null_where_absent(_in_quotes(text), text)
    if types.is_integer(kind) or types.is_boolean(kind):
        return _null_where_absent(column.cast(pyarrow.large_string()), column)
    if types.is_float64(kind):
        return _numpy_json(column) if len(column) else None
    if types.is_date(kind) and _is_within_years(column):
        return _null_where_absent(_in_quotes(column.cast(pyarrow.date32()).cast(pyarrow.large_string())), column)
    if types.is_timestamp(kind) and kind.tz in (None, "UTC") and _is_within_years(column):
        times = compute.fill_null(column, 0).cast(pyarrow.timestamp("us"), safe=False)
        return _null_where_absent(_numpy_json(times, 0 if kind.tz is None else _UTC), column) if len(column) else None
    if types.is_decimal(kind) and kind.precision <= _EXACT_DIGITS:
        numbers = [None if value is None else float(value) for value in column.cast(pyarrow.string()).to_pylist()]
        return _list_json([int(each) if each is not None and each.is_integer() else each for each in numbers])
    return None


def _in_quotes(text: Any) -> Any:
    import pyarrow
    from pyarrow import compute

    quote, nothing = (pyarrow.scalar(each, pyarrow.large_string()) for each in ('"', ""))
    return compute.binary_join_element_wise(quote, text.cast(pyarrow.large_string()), quote, nothing)


def _null_where_absent(texts: Any, column: Any) -> Any:
    from pyarrow import compute

    return compute.if_else(column.is_valid(), texts, "null") if column.null_count else texts


def _numpy_json(column: Any, option: int = 0) -> Any:
    return _split(orjson.dumps(column.to_numpy(zero_copy_only=False), option=orjson.OPT_SERIALIZE_NUMPY | option))


def _list_json(values: list[Any]) -> Any:
    return _split(orjson.dumps(values)) if values else None


def _split(array: bytes) -> Any:
    """Return the members of a JSON array without commas in them as large strings."""
    import pyarrow

    return pyarrow.array(array[1:-1].decode().split(","), pyarrow.large_string())


def _is_within_years(column: Any) -> bool:
    """Return whether all dates or times are of years with four digits."""
    from pyarrow import compute

    years = compute.min_max(compute.year(column))
    return years["min"].as_py() is None or (years["min"].as_py() >= 1000 and years["max"].as_py() <= 9999)


def _bytes_of(text: Any) -> bytes:
    """Return all values of an array of large strings, one after the other."""
    import numpy

    if not len(text):
        return b""
    _, offsets, data = text.buffers()
    ends = numpy.frombuffer(offsets, numpy.int64)[text.offset : text.offset + len(text) + 1]
    return b"" if data is None else bytes(memoryview(data)[int(ends[0]) : int(ends[-1])])


def _needs_escapes(text: bytes) -> bool:
    return b'"' in text or b"\\" in text or count_control_characters(text) > 0


def count_control_characters(text: bytes) -> int:
    """Return the number of bytes below a space."""
    import numpy

    return int(numpy.count_nonzero(numpy.frombuffer(text, numpy.uint8) < 32)) if text else 0
