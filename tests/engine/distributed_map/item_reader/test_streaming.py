"""Streaming: no reader reads much more of its object than the items that it has yielded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from genomics_pipeline.engine.distributed_map.item_reader import csv, json_array, json_lines
from genomics_pipeline.engine.distributed_map.item_reader.compression import BLOCK_BYTES


@pytest.mark.parametrize(
    ("read", "head", "row"),
    [
        (json_lines.read, b"", b'{"a":"some text"}\n'),
        (csv.read, b"a,b\n", b"1,some text\n"),
        (json_array.read, b"[1", b',{"a":"some text"}'),
        (lambda blocks: json_array.read(blocks, "/a/b"), b'{"z":[1],"a":{"b":[1', b',{"a":"some text"}'),
    ],
)
def test_an_endless_object_is_read_block_by_block(
    read: Callable[[Iterator[bytes]], Iterator[list[Any]]], head: bytes, row: bytes
) -> None:
    blocks_read = 0

    def endless() -> Iterator[bytes]:
        nonlocal blocks_read
        if head:
            yield head
        rows = row * (BLOCK_BYTES // len(row) + 2)
        start = 0
        while True:
            blocks_read += 1
            yield rows[start : start + BLOCK_BYTES]
            start = (start + BLOCK_BYTES) % len(row)

    yielded_bytes = 0
    for values in read(endless()):
        yielded_bytes += len(values) * len(row)
        assert (blocks_read - 2) * BLOCK_BYTES <= yielded_bytes
        if blocks_read > 20:
            return
