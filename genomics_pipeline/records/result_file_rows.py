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

# Text between two rows of an array. A quote in a string is escaped, and no letter follows one that ends a string.
_SEPARATOR = re.compile(rb'\}\s*,\s*(?=\{\s*"[A-Za-z])')
_SPACE = b" \t\r\n"


def file_rows(uri: str, stream: BinaryIO, size: int | None) -> Iterator[ResultRow]:
    """Yield the rows of a file: an array's elements if it begins with a bracket, as no row does, else lines.

    Args:
        uri: The file's URI, for messages.
        stream: Its content.
        size: The number of bytes that it must have, if that is known.

    Raises:
        DataError: if it has another size, or is an array without an end.
    """
    counted = _CountedStream(stream)
    blocks = BufferedReader(counted, BLOCK_BYTES)
    yield from (_elements if blocks.peek().lstrip(_SPACE).startswith(b"[") else _lines)(uri, blocks)
    if size is not None and counted.bytes != size:
        raise DataError(f"{uri}: expected {size} bytes, as the manifest says, found {counted.bytes}")


class _CountedStream(RawIOBase):
    """A stream that counts the bytes read from it."""

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
    # One byte more than the maximum shows that a row is too long.
    return map(partial(ResultRow, uri), count(1), iter(partial(stream.readline, MAX_ROW_BYTES + 1), b""))


def _elements(uri: str, stream: BufferedReader[Any]) -> Iterator[ResultRow]:
    number, searched, buffer = 0, 0, stream.read(BLOCK_BYTES)
    offset = buffer.index(b"[") + 1
    buffer = buffer[offset:]
    while True:
        start = 0
        for separator in _SEPARATOR.finditer(buffer, searched):
            number += 1
            yield ResultRow.element(uri, number, buffer[start : separator.start() + 1], offset + start)
            start = separator.end()
        buffer, offset = buffer[start:], offset + start
        if len(buffer) > MAX_ROW_BYTES:
            raise row_too_long(buffer, element_location(uri, number + 1, offset))
        searched = max(buffer.rfind(b"}"), 0)  # no separator can begin before it
        block = stream.read(BLOCK_BYTES)
        if not block:
            break
        buffer += block
    last = _without_bracket(buffer, element_location(uri, number + 1, offset))
    if last or number:
        yield ResultRow.element(uri, number + 1, last, offset)


def _without_bracket(buffer: bytes, location: str) -> bytes:
    """Return an array's last element without the closing bracket."""
    last = buffer.strip(_SPACE)
    if not last.endswith(b"]"):
        raise DataError(f"{location}: expected {ROW} and ']' at the file's end, found {example(last[-EXAMPLE_BYTES:])}")
    return last[:-1].rstrip(_SPACE)
