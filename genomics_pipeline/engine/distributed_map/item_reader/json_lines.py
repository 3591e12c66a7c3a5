"""``InputType: JSONL``: each line is an item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from genomics_pipeline.engine.distributed_map.item_reader.lines import whole_lines
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems
from genomics_pipeline.model.json_text import compact_lines, dumps_each

BOM = b"\xef\xbb\xbf"


def read(blocks: Iterable[bytes]) -> Iterator[list[Any]]:
    """Yield the items in chunks; blank lines are skipped.

    Raises:
        UnreadableItems: if a line is not valid JSON, or too long.
    """
    for lines, before in _parts(blocks):
        each = lines.split(b"\n")
        try:
            values = list(map(orjson.loads, each))
        except ValueError:
            values = _parse_lines(each, before)
        yield values


def texts(blocks: Iterable[bytes], are_compact: bool = False) -> Iterator[list[bytes]]:
    """Yield the items as compact JSON, in chunks.

    Args:
        blocks: The content.
        are_compact: Whether all lines are known to be that, so that they need not be parsed.

    Raises:
        UnreadableItems: if a line is not valid JSON, or too long.
    """
    for lines, before in _parts(blocks):
        try:
            yield (lines if are_compact else compact_lines(lines)).split(b"\n")
        except ValueError:
            yield dumps_each(_parse_lines(lines.split(b"\n"), before))


def counts(blocks: Iterable[bytes]) -> Iterator[tuple[int, bool]]:
    """Yield the number of items in each part of the content, and whether its lines are compact JSON.

    Raises:
        UnreadableItems: if a line is not valid JSON, or too long.
    """
    for lines, before in _parts(blocks):
        try:
            yield lines.count(b"\n") + 1, compact_lines(lines) is lines
        except ValueError:
            yield len(_parse_lines(lines.split(b"\n"), before)), False


def _parts(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield lines without the last line end, and the number of lines before them."""
    before = 0
    for part in whole_lines(blocks):
        lines = part.removesuffix(b"\n")
        yield lines if before else lines.removeprefix(BOM), before
        before += lines.count(b"\n") + 1


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
