"""``InputType: PARQUET``: each row is an item, an object by column name.

AWS does not document how it converts Parquet's types to JSON. Here dates, times and timestamps become ISO 8601 text
(timestamps with a time zone in UTC, ending in Z), durations seconds, decimals numbers, bytes Base64 text, maps objects,
and NaN and infinities null.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from genomics_pipeline.engine.distributed_map.item_reader.arrow_json import row_texts
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import (
    UnreadableItems,
    too_large,
)
from genomics_pipeline.model import budgets, quotas
from genomics_pipeline.model.json_text import dumps_each

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_ROWS = 1024
_FLAT_ROWS = 16 * _ROWS  # without nested columns
_LARGE_GROUP = 4 * _FLAT_ROWS  # of which it pays to look at the dictionaries first
# Encodings that pyarrow reads as dictionaries. Of the others, one writes values without the prefix of the one before.
_WHOLE_VALUES = {"PLAIN", "PLAIN_DICTIONARY", "RLE_DICTIONARY", "RLE", "BIT_PACKED"}
_PREFIXED = "DELTA_BYTE_ARRAY"
_PREFIXED_BYTES = 1 << 30  # of values in a batch of rows, if each were as long as all that is stored of its column
_PLAIN_ROWS = 64  # a divisor of them; pyarrow refuses nested columns of which they have more than 2 GiB
_BATCH_BYTES = 16 << 20  # of text that is in memory at once; a single row may have more
_LEAST_MEMBER_BYTES = 2  # of a list: a digit and a comma
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def read(stream: BinaryIO) -> Iterator[list[Any]]:
    """Yield the items in chunks.

    Raises:
        UnreadableItems: if the content is not Parquet, or too large in one of its parts.
    """
    return (list(map(orjson.loads, items)) for items in texts(stream))


def texts(stream: BinaryIO) -> Iterator[list[bytes]]:
    """Yield the items as compact JSON, in chunks.

    Raises:
        UnreadableItems: if the content is not Parquet, or too large in one of its parts.
    """
    import pyarrow

    before = 0
    try:
        for batch in _small_batches(_batches(stream)):
            items = _simple_rows(batch) or _converted_rows(batch)
            if max(map(len, items), default=0) > quotas.READER_ITEM.value:
                raise too_large(
                    before + next(n for n, item in enumerate(items, 1) if len(item) > quotas.READER_ITEM.value)
                )
            before += len(items)
            yield items
    except (pyarrow.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:  # of the file; pyarrow's errors of its content have none
            raise
        raise UnreadableItems(f"expected Parquet: {error}") from error


def _simple_rows(batch: Any) -> list[bytes] | None:
    """Return the rows of a batch of text and numbers; None for others."""
    names = batch.schema.names
    return row_texts(names, batch.columns) if names and len(set(names)) == len(names) else None


def _converted_rows(batch: Any) -> list[bytes]:
    rows = _truncate_to_microseconds(batch).to_pylist(maps_as_pydicts="strict")
    return dumps_each(rows, default=_json_value, option=_OPTIONS)


def _batches(stream: BinaryIO) -> Iterator[tuple[int, Any]]:
    """Yield the number of its row group and each record batch, text as dictionaries.

    pyarrow cannot join several dictionaries of a nested column: each row group is read by itself, and one whose
    dictionary ends before its last page is read without dictionaries, in few rows at once.
    """
    import pyarrow
    from pyarrow import types

    file = _open(stream)
    is_flat = all(types.is_dictionary(each) or not types.is_nested(each) for each in file.schema_arrow.types)
    rows = _FLAT_ROWS if is_flat else _ROWS
    for group in range(file.metadata.num_row_groups):
        before, most = 0, min(rows, _prefixed_rows(file, group))
        try:
            reader = _reader(stream, []) if is_flat and _repeats_little(file, group) else file
            for batch in reader.iter_batches(most, row_groups=[group]):
                yield group, batch
                before += batch.num_rows
        except pyarrow.ArrowNotImplementedError:
            plain = _reader(stream, []).iter_batches(_PLAIN_ROWS, row_groups=[group])
            yield from ((group, batch) for batch in islice(plain, before // _PLAIN_ROWS, None))


def _prefixed_rows(file: ParquetFile, group: int) -> int:
    """Return the number of rows that may be read at once, so that values without their prefixes fit into memory."""
    columns = map(file.metadata.row_group(group).column, range(file.metadata.num_columns))
    stored = [one.total_uncompressed_size for one in columns if _PREFIXED in one.encodings]
    return max(1, _PREFIXED_BYTES // int(max([1, *stored])))


def _repeats_little(file: ParquetFile, group: int) -> bool:
    """Return whether a large row group needs little memory without dictionaries, which are slower to read.

    The first batch has all values of the dictionaries; those that are not in them cannot repeat.
    """
    from pyarrow import compute, types

    metadata = file.metadata.row_group(group)
    encodings = {each for number in range(metadata.num_columns) for each in metadata.column(number).encodings}
    if metadata.num_rows < _LARGE_GROUP or not encodings <= _WHOLE_VALUES:
        return False
    first = next(file.iter_batches(1, row_groups=[group]))
    dictionaries = [column.dictionary for column in first.columns if types.is_dictionary(column.type)]
    longest = sum(compute.max(compute.binary_length(each)).as_py() or 0 for each in dictionaries)
    return longest * _FLAT_ROWS <= _BATCH_BYTES


def _small_batches(batches: Iterable[tuple[int, Any]]) -> Iterator[Any]:
    """Yield record batches whose text is of a bounded size, however often a dictionary repeats a long value.

    Raises:
        UnreadableItems: if the text of a row is longer than an item may be, or that of a row group than its budget.
    """
    from pyarrow import compute

    before, current, text = 0, 0, 0
    for group, batch in batches:
        current, text = group, text if group == current else 0
        sizes = _text_bytes(batch)
        total, longest = compute.sum(sizes).as_py() or 0, compute.max(sizes).as_py() or 0
        if total <= _BATCH_BYTES and longest <= quotas.READER_ITEM.value and text + total <= budgets.PARQUET_TEXT.value:
            text, before = text + total, before + batch.num_rows
            yield batch
            continue
        start, size = 0, 0
        for row, row_bytes in enumerate(sizes.to_pylist()):
            if row_bytes > quotas.READER_ITEM.value:
                raise too_large(before + row + 1)
            text += row_bytes
            if text > budgets.PARQUET_TEXT.value:
                raise UnreadableItems(f"expected at most {budgets.PARQUET_TEXT} of text in a row group, found more")
            if size + row_bytes > _BATCH_BYTES:
                yield batch.slice(start, row - start)
                start, size = row, 0
            size += row_bytes
        yield batch.slice(start)
        before += batch.num_rows


def _text_bytes(batch: Any) -> Any:
    """Return an array with the least bytes of each row's text and of the members of its lists."""
    import pyarrow

    return _bytes_of(pyarrow.StructArray.from_arrays(batch.columns, batch.schema.names))


def _bytes_of(array: Any) -> Any:
    """Return an array with the least bytes of each value's text, 0 for a value of a fixed size."""
    import pyarrow
    from pyarrow import compute, types

    if types.is_dictionary(array.type):
        lengths = compute.binary_length(array.dictionary).cast(pyarrow.int64())
        return compute.fill_null(lengths.take(array.indices), 0)
    if types.is_string(array.type) or types.is_binary(array.type):
        return compute.fill_null(compute.binary_length(array).cast(pyarrow.int64()), 0)
    if types.is_fixed_size_list(array.type):
        array = array.cast(pyarrow.list_(array.type.value_type))
    total = pyarrow.repeat(pyarrow.scalar(0, pyarrow.int64()), len(array))
    if types.is_struct(array.type):
        for member in array.flatten():
            total = compute.add(total, _bytes_of(member))
    elif types.is_map(array.type):
        for members in (array.keys, array.items):
            total = compute.add(total, _sums(members, array.offsets))
    elif types.is_list(array.type) or types.is_large_list(array.type):
        total = _sums(array.values, array.offsets)
    return total


def _sums(members: Any, offsets: Any) -> Any:
    """Return the bytes of the members between each two offsets, with a separator each."""
    import pyarrow
    from pyarrow import compute

    ends = compute.cumulative_sum(compute.add(_bytes_of(members), _LEAST_MEMBER_BYTES))
    ends = pyarrow.concat_arrays([pyarrow.array([0], pyarrow.int64()), ends])
    return compute.subtract(ends.take(offsets[1:]), ends.take(offsets[:-1]))


def describe(stream: BinaryIO) -> tuple[int, list[str]]:
    """Return the number of items and the names of their columns; only the footer is read.

    Raises:
        UnreadableItems: if the content is not Parquet, or too large in one of its parts.
    """
    import pyarrow

    try:
        file = _open(stream)
        return int(file.metadata.num_rows), list(file.schema_arrow.names)
    except pyarrow.ArrowException as error:
        raise UnreadableItems(f"expected Parquet: {error}") from error


def _open(stream: BinaryIO) -> ParquetFile:
    file = _reader(stream, [])
    metadata, schema = file.metadata, file.schema
    leaves = [schema.column(number) for number in range(len(schema))]
    if metadata.serialized_size > quotas.PARQUET_FOOTER.value:
        raise UnreadableItems(f"expected a footer of at most {quotas.PARQUET_FOOTER}, found {metadata.serialized_size}")
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    for group in groups:
        _check_row_group(group, leaves)
    repeated = [
        leaf.path
        for number, leaf in enumerate(leaves)
        if _is_text(leaf) and all(set(group.column(number).encodings) <= _WHOLE_VALUES for group in groups)
    ]
    return _reader(stream, repeated)


def _reader(stream: BinaryIO, dictionaries: list[str]) -> ParquetFile:
    from pyarrow.parquet import ParquetFile

    return ParquetFile(stream, coerce_int96_timestamp_unit="us", read_dictionary=dictionaries)


def _is_text(leaf: Any) -> bool:
    return bool(leaf.physical_type == "BYTE_ARRAY" and leaf.logical_type.type != "DECIMAL")


def _check_row_group(group: Any, leaves: list[Any]) -> None:
    """Require that a row group can be read in bounded memory: a few bytes may stand for a list of any length.

    Raises:
        UnreadableItems: if it is too large.
    """
    if group.total_byte_size > quotas.PARQUET_ROW_GROUP.value:
        raise UnreadableItems(
            f"expected row groups of at most {quotas.PARQUET_ROW_GROUP}, found {group.total_byte_size}"
        )
    for number, leaf in enumerate(leaves):
        found = group.column(number).num_values
        if leaf.max_repetition_level and found > budgets.PARQUET_VALUES.value:
            expected = f"expected at most {budgets.PARQUET_VALUES} in the lists of a row group"
            raise UnreadableItems(f"{expected}, found {found:,}: {leaf.path}")


def _truncate_to_microseconds(batch: Any) -> Any:
    """Return a record batch without nanoseconds, which Python's times do not have."""
    import pyarrow

    fields = [
        field.with_type(pyarrow.timestamp("us", field.type.tz))
        if pyarrow.types.is_timestamp(field.type) and field.type.unit == "ns"
        else field
        for field in batch.schema
    ]
    return batch.cast(pyarrow.schema(fields), safe=False)


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError
