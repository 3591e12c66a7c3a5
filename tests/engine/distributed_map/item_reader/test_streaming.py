"""No reader asks for more of its object than the items it has given."""

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
def test_an_endless_object_is_read_as_it_comes(
    read: Callable[[Iterator[bytes]], Iterator[list[Any]]], head: bytes, row: bytes
) -> None:
    asked = 0

    def endless() -> Iterator[bytes]:
        nonlocal asked
        if head:
            yield head
        rows = row * (BLOCK_BYTES // len(row) + 2)
        at = 0
        while True:
            asked += 1
            yield rows[at : at + BLOCK_BYTES]
            at = (at + BLOCK_BYTES) % len(row)

    given = 0
    for values in read(endless()):
        given += len(values) * len(row)
        assert (asked - 2) * BLOCK_BYTES <= given
        if asked > 20:
            return
