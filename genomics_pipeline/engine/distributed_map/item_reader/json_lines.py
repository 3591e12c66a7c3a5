"""InputType ``JSONL``: an item a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from genomics_pipeline.engine.distributed_map.item_reader.lines import whole_lines
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems

BOM = b"\xef\xbb\xbf"


def read(blocks: Iterable[bytes]) -> Iterator[list[Any]]:
    """Yield the items, many at once; lines without anything in them are none.

    Raises:
        UnreadableItems: for a line that is no JSON, or too long.
    """
    before = 0
    for part in whole_lines(blocks):
        lines = (part if before else part.removeprefix(BOM)).split(b"\n")
        if not lines[-1]:
            lines.pop()
        try:
            values = list(map(orjson.loads, lines))
        except ValueError:
            values = _one_by_one(lines, before)
        before += len(lines)
        yield values


def _one_by_one(lines: list[bytes], before: int) -> list[Any]:
    values = []
    for number, line in enumerate(lines, before + 1):
        if not line.strip():
            continue
        try:
            values.append(orjson.loads(line))
        except ValueError as error:
            raise UnreadableItems(f"line {number}: {error}") from error
    return values
