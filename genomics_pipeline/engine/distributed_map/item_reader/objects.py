"""The reading of one object by its InputType, after a check of its size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.engine.distributed_map.item_reader import csv, json_array, json_lines, parquet
from genomics_pipeline.engine.distributed_map.item_reader.compression import blocks
from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
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
    """Yield the items of an object as compact JSON, in chunks.

    Args:
        store: The store that holds the object.
        uri: The object.
        config: The form of its content.
        compact_version: The version of the object whose lines are known to be compact JSON; see `ObjectCount`.

    Raises:
        UnreadableItems, ItemReaderCause: if it is too large, or its content is not of that form.
    """
    if config.input_type == "JSON":
        yield from map(dumps_each, read_object(store, uri, config))
        return
    version = _check_size(store, uri)
    with closing(store.open(uri)) as stream:
        if config.input_type == "PARQUET":
            yield from parquet.texts(stream)
        elif config.input_type == "JSONL":
            are_compact = compact_version is not None and compact_version == version
            yield from (items for items, _ in json_lines.texts(blocks(stream, uri), are_compact))
        else:
            yield from csv.texts(blocks(stream, uri), config.csv_delimiter, config.csv_headers)


@dataclass(frozen=True, slots=True)
class ObjectCount:
    """The number of items in an object, and what was found out when they were counted.

    Attributes:
        items: The number.
        compact_version: The object's version, if each of its lines is the text that `json_text.dumps` would write for
            the item: such lines need not be parsed again. None if there are others, or none.
    """

    items: int
    compact_version: str | None = None


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
    if config.input_type == "JSONL":
        return _count_lines(store, uri, most)
    if config.input_type == "JSON":
        return ObjectCount(_count(read_object(store, uri, config), most))
    if config.input_type != "PARQUET":
        return ObjectCount(_count(read_texts(store, uri, config, None), most))
    _check_size(store, uri)
    with closing(store.open(uri)) as stream:
        return ObjectCount(parquet.count(stream))


def _count_lines(store: Store, uri: str, most: int) -> ObjectCount:
    version, are_compact = _check_size(store, uri), True

    def chunks() -> Iterator[list[bytes]]:
        nonlocal are_compact
        for items, are_lines in json_lines.texts(blocks(stream, uri)):
            are_compact = are_compact and are_lines
            yield items

    with closing(store.open(uri)) as stream:
        items = _count(chunks(), most)
    return ObjectCount(items, version if are_compact else None)


def _count(chunks: Iterable[Sized], most: int) -> int:
    number = 0
    for chunk in chunks:
        number += len(chunk)
        if number >= most:
            break
    return number


def _check_size(store: Store, uri: str) -> str | None:
    """Return the object's version; None if there is no object.

    Raises:
        UnreadableItems: if it is too large.
    """
    info = store.stat(uri)
    if info and info.size_bytes > quotas.READER_OBJECT.value:
        raise UnreadableItems(f"expected at most {quotas.READER_OBJECT}, found {info.size_bytes}")
    return info.version if info else None
