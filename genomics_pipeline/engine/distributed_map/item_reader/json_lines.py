"""``InputType: JSONL``: each line is an item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from genomics_pipeline.engine.distributed_map.item_reader.lines import whole_lines
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems

BOM = b"\xef\xbb\xbf"


def read(blocks: Iterable[bytes]) -> Iterator[list[Any]]:
    """Yield the items in chunks; blank lines are skipped.

    Raises:
        UnreadableItems: if a line is not valid JSON, or too long.
    """
    before = 0
    for part in whole_lines(blocks):
        lines = (part if before else part.removeprefix(BOM)).split(b"\n")
        if not lines[-1]:
            lines.pop()
        try:
            values = list(map(orjson.loads, lines))
        except ValueError:
            values = _parse_lines(lines, before)
        before += len(lines)
        yield values


def _parse_lines(lines: list[bytes], before: int) -> list[Any]:
    """Return the items of lines of which some are blank or invalid, after `before` lines."""
    values = []
    for number, line in enumerate(lines, before + 1):
        if not line.strip():
            continue
        try:
            values.append(orjson.loads(line))
        except ValueError as error:
            raise UnreadableItems(f"line {number}: {error}") from error
    return values
