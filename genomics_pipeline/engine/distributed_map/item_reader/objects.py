"""The reading of one object by its InputType, after a check of its size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from genomics_pipeline.engine.distributed_map.item_reader import csv, json_array, json_lines, parquet
from genomics_pipeline.engine.distributed_map.item_reader.compression import blocks
from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems
from genomics_pipeline.model import quotas
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


def count_object(store: Store, uri: str, config: ReaderConfig) -> int:
    """Return the number of items in an object; text is read to its end, so that it is checked.

    Args:
        store: The store that holds the object.
        uri: The object.
        config: The form of its content.

    Raises:
        UnreadableItems, ItemReaderCause: if it is too large, or its content is not of that form.
    """
    if config.input_type != "PARQUET":
        return sum(map(len, read_object(store, uri, config)))
    _check_size(store, uri)
    with closing(store.open(uri)) as stream:
        return parquet.count(stream)


def _check_size(store: Store, uri: str) -> None:
    info = store.stat(uri)
    if info and info.size_bytes > quotas.READER_OBJECT.value:
        raise UnreadableItems(f"expected at most {quotas.READER_OBJECT}, found {info.size_bytes}")
