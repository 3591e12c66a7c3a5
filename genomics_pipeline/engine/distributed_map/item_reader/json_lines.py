"""``InputType: JSONL``: each line is an item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from genomics_pipeline.engine.distributed_map.item_reader.lines import whole_lines
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems
from genomics_pipeline.model.json_text import compact_each, dumps_each

BOM = b"\xef\xbb\xbf"


def read(blocks: Iterable[bytes]) -> Iterator[list[Any]]:
    """Yield the items in chunks; blank lines are skipped.

    Raises:
        UnreadableItems: if a line is not valid JSON, or too long.
    """
    before = 0
    for lines in _lines(blocks):
        try:
            values = list(map(orjson.loads, lines))
        except ValueError:
            values = _parse_lines(lines, before)
        before += len(lines)
        yield values


def texts(blocks: Iterable[bytes], are_compact: bool = False) -> Iterator[tuple[list[bytes], bool]]:
    """Yield the items as compact JSON, in chunks, and whether the lines themselves are that.

    Args:
        blocks: The content.
        are_compact: Whether this is known of all lines, so that they need not be parsed.

    Raises:
        UnreadableItems: if a line is not valid JSON, or too long.
    """
    before = 0
    for lines in _lines(blocks):
        try:
            items = lines if are_compact else compact_each(lines)
        except ValueError:
            items = dumps_each(_parse_lines(lines, before))
        before += len(lines)
        yield items, items is lines


def _lines(blocks: Iterable[bytes]) -> Iterator[list[bytes]]:
    is_first = True
    for part in whole_lines(blocks):
        lines = (part.removeprefix(BOM) if is_first else part).split(b"\n")
        if not lines[-1]:
            lines.pop()
        is_first = False
        yield lines


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
