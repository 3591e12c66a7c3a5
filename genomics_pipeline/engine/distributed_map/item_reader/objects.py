"""The reading of one object by its InputType, after a check of its size."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, BinaryIO

from genomics_pipeline.engine.distributed_map.item_reader import csv, json_array, json_lines, parquet
from genomics_pipeline.engine.distributed_map.item_reader.compression import (
    BLOCK_BYTES,
    COMPRESSED,
    LINES_BYTES,
    blocks,
    first_blocks,
)
from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.engine.distributed_map.item_reader.reading_process import ReadingProcess, is_for_two
from genomics_pipeline.engine.distributed_map.item_reader.row_widths import RowWidths
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import dumps_each
from genomics_pipeline.stores.protocol import Store


def read_object(store: Store, uri: str, config: ReaderConfig) -> Iterator[list[Any]]:
    """Yield the items of an object, in chunks.

    Args:
        store: The store that holds the object.
        uri: The object.
        config: The form of its content.

    Raises:
        UnreadableItems, ItemReaderCause: if it is too large, or its content is not of that form.
    """
    _check_size(store, uri)
    with closing(store.open(uri)) as stream:
        if config.input_type == "PARQUET":
            yield from parquet.read(stream)
            return
        content = blocks(stream, uri)
        if config.input_type == "JSON":
            yield from json_array.read(content, config.items_pointer)
        elif config.input_type == "JSONL":
            yield from json_lines.read(content)
        else:
            yield from csv.read(content, config.csv_delimiter, config.csv_headers)


def read_texts(store: Store, uri: str, config: ReaderConfig, compact_version: str | None) -> Iterator[list[bytes]]:
    """Yield the items of an object as compact JSON, in chunks; those of a large file are read in a second process.

    Args:
        store: The store that holds the object.
        uri: The object.
        config: The form of its content.
        compact_version: The version of the object whose lines are known to be compact JSON; see `ObjectCount`.

    Raises:
        UnreadableItems, ItemReaderCause: if it is too large, or its content is not of that form.
    """
    version = _check_size(store, uri)
    are_compact = compact_version is not None and compact_version == version
    before = 0
    if not are_compact and is_for_two(store, uri):
        with closing(store.open(uri)) as stream, ReadingProcess("texts", stream, uri, config) as process:
            for answer in process.answers():
                yield (texts := answer.split(b"\n"))
                before += len(texts)
            if process.is_complete:
                return
    with closing(store.open(uri)) as stream:
        for texts in stream_texts(stream, uri, config, are_compact):
            if before < len(texts):
                yield texts[before:]
            before = max(before - len(texts), 0)


def stream_texts(stream: BinaryIO, uri: str, config: ReaderConfig, are_compact: bool = False) -> Iterator[list[bytes]]:
    """Yield the items of an object as compact JSON, in chunks, in this process.

    Args:
        stream: The object.
        uri: Its URI.
        config: The form of its content.
        are_compact: Whether its lines are known to be compact JSON.

    Raises:
        UnreadableItems, ItemReaderCause: if its content is not of that form.
    """
    if config.input_type == "PARQUET":
        return parquet.texts(stream)
    content = blocks(stream, uri, LINES_BYTES if config.input_type == "JSONL" and not are_compact else BLOCK_BYTES)
    if config.input_type == "JSON":
        return map(dumps_each, json_array.read(content, config.items_pointer))
    if config.input_type == "JSONL":
        return json_lines.texts(content, are_compact)
    return csv.texts(content, config.csv_delimiter, config.csv_headers)


@dataclass(frozen=True, slots=True)
class ObjectCount:
    """The number of items in an object, and what was found out when they were counted.

    Attributes:
        items: The number.
        compact_version: The object's version, if each of its lines is the text that `json_text.dumps` would write for
            the item: such lines need not be parsed again. None if there are others, or none.
        columns: The names of the columns of its own, of CSV with a header and of Parquet.
        notes: Sentences about rows that AWS accepts, although they are seldom meant.
    """

    items: int
    compact_version: str | None = None
    columns: Sequence[str] = ()
    notes: Sequence[str] = ()


def count_object(store: Store, uri: str, config: ReaderConfig, most: int) -> ObjectCount:
    """Count the items in an object; text is read to its end, or to that number of items, so that it is checked.

    Args:
        store: The store that holds the object.
        uri: The object.
        config: The form of its content.
        most: The number of items that matter.

    Raises:
        UnreadableItems, ItemReaderCause: if it is too large, or its content is not of that form.
    """
    version = _check_size(store, uri)
    if config.input_type == "JSONL" and not uri.endswith(COMPRESSED) and is_for_two(store, uri):
        counted = _count_halves(store, uri, config, most, version)
        if counted is not None:
            return counted
    with closing(store.open(uri)) as stream:
        if config.input_type == "PARQUET":
            rows, names = parquet.describe(stream)
            return ObjectCount(rows, columns=names)
        content = blocks(stream, uri, LINES_BYTES if config.input_type == "JSONL" else BLOCK_BYTES)
        if config.input_type == "JSONL":
            items, are_compact = count_lines(content, most)
            return ObjectCount(items, version if are_compact else None)
        if config.input_type == "JSON":
            return ObjectCount(_count(map(len, json_array.read(content, config.items_pointer)), most))
        widths = RowWidths()
        items = _count(csv.counts(content, config.csv_delimiter, config.csv_headers, widths), most)
        own = widths.columns if config.csv_headers is None else ()
        return ObjectCount(items, columns=own, notes=tuple(widths.notes()))


def _count_halves(store: Store, uri: str, config: ReaderConfig, most: int, version: str | None) -> ObjectCount | None:
    """Count the lines of the second half of a file in a second process, meanwhile those of the first half here.

    Args:
        store: The store that holds the object.
        uri: The object, a file of this machine.
        config: The form of its content.
        most: The number of items that matter.
        version: Its version.

    Returns:
        None if this cannot be done, or if more lines than `most` were counted, of which some may not matter.
    """
    with closing(store.open(uri)) as first, closing(store.open(uri)) as second:
        size = second.seek(0, os.SEEK_END)
        second.seek(size // 2)
        is_whole, middle = second.readline(quotas.READER_ITEM.value).endswith(b"\n"), second.tell()
        if not is_whole or second.read(len(json_lines.BOM)) == json_lines.BOM:
            return None
        with ReadingProcess("count", second, uri, config, middle) as process:
            items, are_compact = count_lines(first_blocks(first, middle), most)
            answer = b"".join(process.answers()) if items < most else b""
    if not process.is_complete:
        return None
    items += int(answer.removesuffix(b"c"))
    return ObjectCount(items, version if are_compact and answer.endswith(b"c") else None) if items <= most else None


def count_lines(content: Iterable[bytes], most: float = math.inf) -> tuple[int, bool]:
    """Return the number of JSON Lines, up to about `most`, and whether they all are compact JSON.

    Raises:
        UnreadableItems: if a line is not valid JSON, or too long.
    """
    items, are_compact = 0, True
    for number, is_compact in json_lines.counts(content):
        items, are_compact = items + number, are_compact and is_compact
        if items >= most:
            break
    return items, are_compact


def _count(numbers: Iterable[int], most: int) -> int:
    items = 0
    for number in numbers:
        items += number
        if items >= most:
            break
    return items


def _check_size(store: Store, uri: str) -> str | None:
    """Return the object's version; None if there is no object.

    Raises:
        UnreadableItems: if it is too large.
    """
    info = store.stat(uri)
    if info and info.size_bytes > quotas.READER_OBJECT.value:
        raise UnreadableItems(f"expected at most {quotas.READER_OBJECT}, found {info.size_bytes}")
    return info.version if info else None
