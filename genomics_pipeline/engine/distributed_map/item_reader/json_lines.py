"""``InputType: JSONL``: each line is an item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from genomics_pipeline.engine.distributed_map.item_reader.lines import whole_lines
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems, not_utf8
from genomics_pipeline.model.json_text import compact_lines, dumps_each

BOM = b"\xef\xbb\xbf"


def read(blocks: Iterable[bytes]) -> Iterator[list[Any]]:
    """Yield the items in chunks; blank lines are skipped.

    Raises:
        UnreadableItems: if a line is not valid JSON, or too long.
    """
    before = 0
    for lines in _parts(blocks):
        each = lines.split(b"\n")
        try:
            values = list(map(orjson.loads, each))
        except ValueError:
            values = _parse_lines(each, before)
        yield values
        before += len(each)


def texts(blocks: Iterable[bytes], are_compact: bool = False) -> Iterator[list[bytes]]:
    """Yield the items as compact JSON, in chunks.

    Args:
        blocks: The content.
        are_compact: Whether all lines are known to be that, so that they need not be parsed.

    Raises:
        UnreadableItems: if a line is not valid JSON, or too long.
    """
    if are_compact:
        yield from (lines.split(b"\n") for lines in _parts(blocks))
        return
    before = 0
    for lines in _parts(blocks):
        try:
            compact, number = compact_lines(lines)
            each = compact.split(b"\n")
        except ValueError:
            given = lines.split(b"\n")
            each, number = dumps_each(_parse_lines(given, before)), len(given)
        yield each
        before += number


def counts(blocks: Iterable[bytes]) -> Iterator[tuple[int, bool]]:
    """Yield the number of items in each part of the content, and whether its lines are compact JSON.

    Raises:
        UnreadableItems: if a line is not valid JSON, or too long.
    """
    before = 0
    for lines in _parts(blocks):
        try:
            compact, number = compact_lines(lines)
            items, is_compact = number, compact is lines
        except ValueError:
            given = lines.split(b"\n")
            items, is_compact, number = len(_parse_lines(given, before)), False, len(given)
        yield items, is_compact
        before += number


def _parts(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines without the last line end; each part is as many lines as it has line ends, and one."""
    bom = BOM
    for part in whole_lines(blocks):
        yield part.removesuffix(b"\n").removeprefix(bom)
        bom = b""


def _invalid(line: bytes, number: int, error: orjson.JSONDecodeError) -> UnreadableItems:
    """Return the error of a line that is not JSON."""
    try:
        line.decode()
    except UnicodeDecodeError as encoding:
        return not_utf8(encoding, number - 1)
    return UnreadableItems(f"line {number}, column {error.colno}: {error.msg}")


def _parse_lines(lines: list[bytes], before: int) -> list[Any]:
    """Return the items of lines of which some are blank or invalid, after `before` lines."""
    values = []
    for number, line in enumerate(lines, before + 1):
        if not line.strip():
            continue
        try:
            values.append(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            raise _invalid(line, number, error) from error
    return values
