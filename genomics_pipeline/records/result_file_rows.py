"""Splitting of one of ResultWriter's files into rows: lines, or the elements of an array, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from io import BufferedReader, RawIOBase
from itertools import count
from typing import Any, BinaryIO

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.records.result_row import (
    EXAMPLE_BYTES,
    MAX_ROW_BYTES,
    ROW,
    ResultRow,
    element_location,
    example,
    row_too_long,
)

BLOCK_BYTES = 1 << 17  # more is slower: it leaves the processor's cache

# Between the rows of an array. In a string a quote is escaped, or ends it and no letter follows.
_BETWEEN = re.compile(rb'\}\s*,\s*(?=\{\s*"[A-Za-z])')
_SPACE = b" \t\r\n"


def file_rows(uri: str, stream: BinaryIO, size: int | None) -> Iterator[ResultRow]:
    """Yield the rows of a file: an array's elements where it begins with a bracket, else lines.

    In a file of lines only what is no row begins with a bracket.

    Args:
        uri: The file's URI, for messages.
        stream: Its content.
        size: The number of bytes that it must have, where that is known.

    Raises:
        DataError: if it has another size, or is an array without an end.
    """
    counted = _CountedStream(stream)
    blocks = BufferedReader(counted, BLOCK_BYTES)
    yield from (_elements if blocks.peek().lstrip(_SPACE).startswith(b"[") else _lines)(uri, blocks)
    if size is not None and counted.bytes != size:
        raise DataError(f"{uri}: expected {size} bytes, as the manifest says, found {counted.bytes}")


class _CountedStream(RawIOBase):
    """A stream that counts the bytes read of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count: int = self._stream.readinto(buffer)  # type: ignore[attr-defined]
        self.bytes += count
        return count


def _lines(uri: str, stream: BufferedReader[Any]) -> Iterator[ResultRow]:
    # A row that is one byte longer than any can be shows that it is too long.
    return map(partial(ResultRow, uri), count(1), iter(partial(stream.readline, MAX_ROW_BYTES + 1), b""))


def _elements(uri: str, stream: BufferedReader[Any]) -> Iterator[ResultRow]:
    number, searched, held = 0, 0, stream.read(BLOCK_BYTES)
    offset = held.index(b"[") + 1
    held = held[offset:]
    while True:
        start = 0
        for between in _BETWEEN.finditer(held, searched):
            number += 1
            yield ResultRow.element(uri, number, held[start : between.start() + 1], offset + start)
            start = between.end()
        held, offset = held[start:], offset + start
        if len(held) > MAX_ROW_BYTES:
            raise row_too_long(held, element_location(uri, number + 1, offset))
        searched = max(held.rfind(b"}"), 0)  # nothing before it can still turn out to be an element's end
        block = stream.read(BLOCK_BYTES)
        if not block:
            break
        held += block
    last = _without_bracket(held, element_location(uri, number + 1, offset))
    if last or number:
        yield ResultRow.element(uri, number + 1, last, offset)


def _without_bracket(held: bytes, location: str) -> bytes:
    """Return an array's last element without the bracket behind it."""
    last = held.strip(_SPACE)
    if not last.endswith(b"]"):
        raise DataError(f"{location}: expected {ROW} and ']' at the file's end, found {example(last[-EXAMPLE_BYTES:])}")
    return last[:-1].rstrip(_SPACE)
