"""Rows of Arrow columns as compact JSON, built column by column: the texts are those of Python values, but faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson


def row_texts(names: Sequence[str], columns: Sequence[Any]) -> list[bytes] | None:
    """Return an object for each row, as compact JSON.

    Args:
        names: The names of the members.
        columns: An array for each of them, all of the same length, at least one.

    Returns:
        None if a column is not of a simple type, or has text that must be escaped.
    """
    import pyarrow
    from pyarrow import compute

    parts: list[Any] = []
    before = "{"
    for name, column in zip(names, columns, strict=True):
        values = _json_values(column)
        if values is None:
            return None
        parts += [pyarrow.scalar(f"{before}{orjson.dumps(name).decode()}:", pyarrow.large_string()), values]
        before = ","
    ends = pyarrow.scalar("}\n", pyarrow.large_string())
    rows = compute.binary_join_element_wise(*parts, ends, pyarrow.scalar("", pyarrow.large_string()))
    return _bytes_of(rows).split(b"\n")[:-1]


def _json_values(column: Any) -> Any:
    """Return the JSON of each value of a column, as large strings; None if this is not how it can be written."""
    import pyarrow
    from pyarrow import compute, types

    if types.is_dictionary(column.type) and types.is_string(column.type.value_type):
        return _json_values(column.dictionary.take(column.indices))  # it may have far more values than the column
    if types.is_string(column.type) or types.is_large_string(column.type):
        text = column.cast(pyarrow.large_string())
        if _needs_escapes(_bytes_of(text)):
            return None
        quote, nothing = (pyarrow.scalar(each, pyarrow.large_string()) for each in ('"', ""))
        return compute.fill_null(compute.binary_join_element_wise(quote, text, quote, nothing), "null")
    if types.is_integer(column.type) or types.is_boolean(column.type):
        return compute.fill_null(column.cast(pyarrow.large_string()), "null")
    if types.is_float64(column.type):
        numbers = orjson.dumps(column.to_numpy(zero_copy_only=False), option=orjson.OPT_SERIALIZE_NUMPY)
        return pyarrow.array(numbers[1:-1].decode().split(","), pyarrow.large_string()) if len(column) else None
    return None


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
