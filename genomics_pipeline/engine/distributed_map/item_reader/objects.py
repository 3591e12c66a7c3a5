"""One object of items: opened, measured, and read by its InputType."""

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
    """Yield the items of an object, many at once."""
    _measure(store, uri)
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
    """Return how many items an object holds. Text is read to its end, so that what is wrong with it is known."""
    if config.input_type != "PARQUET":
        return sum(map(len, read_object(store, uri, config)))
    _measure(store, uri)
    with closing(store.open(uri)) as stream:
        return parquet.count(stream)


def _measure(store: Store, uri: str) -> None:
    found = store.stat(uri)
    if found and found.size_bytes > quotas.READER_OBJECT.value:
        raise UnreadableItems(f"expected at most {quotas.READER_OBJECT}, found {found.size_bytes}")
