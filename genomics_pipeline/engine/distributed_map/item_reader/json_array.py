"""InputType ``JSON``: the items are the elements of an array, which ``ItemsPointer`` (RFC 6901) leads to.

The array is read element by element, so its size does not matter; what stands before it is held at once, which is why
AWS wants it to begin within the first 16 MB. What stands after it is not read.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import Any

from genomics_pipeline.engine.distributed_map.item_reader.unreadable import (
    ItemReaderCause,
    UnreadableItems,
    too_large,
)
from genomics_pipeline.model import quotas

_CHUNK = 1000  # items
_ORDINARY = quotas.READER_ITEM.value // 4  # characters that are not too many bytes, whatever they are
_LITERAL = 16  # no word or escape is longer
_NUMBER = "0123456789.eE+-"  # what a number may go on with, as nothing (the window's end) may
_EXPONENT = 3  # characters in which it is seen whether it does
_SPACE = re.compile(r"[ \t\n\r]*")


def _no_number(name: str) -> Any:
    raise ValueError(f"expected JSON, found {name}")


_scan = json.JSONDecoder(parse_constant=_no_number).scan_once  # type: ignore[attr-defined]


def read(blocks: Iterable[bytes], pointer: str = "") -> Iterator[list[Any]]:
    """Yield the items, many at once.

    Raises:
        UnreadableItems: if the content is no JSON up to the array's end, or has nothing at the pointer.
        ItemReaderCause: if what is there is no array.
    """
    text = _JsonText(blocks)
    try:
        for part in pointer.split("/")[1:]:
            _descend(text, part.replace("~1", "/").replace("~0", "~"), pointer)
        if text.peek() != "[":
            # Recorded: localstack/localstack test_base_scenarios test_map_item_reader_json_no_json_list_object
            raise ItemReaderCause("Attempting to map over non-iterable node.")
        yield from _elements(text)
    except (JSONDecodeError, UnicodeDecodeError) as error:
        told = error.msg if isinstance(error, JSONDecodeError) else str(error)
        raise UnreadableItems(f"expected JSON: {told}") from error
    except ValueError as error:
        raise UnreadableItems(str(error)) from error


def _elements(text: _JsonText) -> Iterator[list[Any]]:
    text.skip("[")
    count = 0
    values: list[Any] = []
    if text.peek() == "]":
        return
    while True:
        text.take(values)
        values.append(text.value(quotas.READER_ITEM.value, count + len(values) + 1))
        if len(values) >= _CHUNK:
            yield values
            count += len(values)
            values = []
        if text.skip(",]") == "]":
            yield values
            return


def _descend(text: _JsonText, token: str, pointer: str) -> None:
    """Go to the value of that name, or to the element of that number."""
    opening = text.peek()
    if opening not in ("{", "["):
        raise UnreadableItems(f"expected items at ItemsPointer {pointer}, found nothing there")
    text.skip(opening)
    number = 0
    while text.peek() not in ("}", "]"):
        if opening == "{":
            name = text.string()
            text.skip(":")
        else:
            name = str(number)
        if name == token:
            return
        text.value(quotas.BYTES_BEFORE_ITEMS.value, None)
        number += 1
        if text.peek() == ",":
            text.skip(",")
    raise UnreadableItems(f"expected items at ItemsPointer {pointer}, found nothing there")


class _JsonText:
    """JSON text of which a window is held: what was read of it, from the value that is next."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._held = ""
        self._at = 0
        self._ended = False

    def _more(self) -> bool:
        """Hold one block more; false at the end."""
        if self._ended:
            return False
        block = next(self._blocks, b"")
        self._ended = not block
        self._held = self._held[self._at :] + self._decoder.decode(block, final=self._ended)
        self._at = 0
        return True

    def peek(self) -> str:
        """Return the next character that is no space; nothing at the end."""
        while True:
            self._at = _SPACE.match(self._held, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more():
                return ""

    def skip(self, expected: str) -> str:
        """Pass the next character, which must be one of the expected."""
        found = self.peek()
        if not found or found not in expected:
            raise UnreadableItems(f"expected {' or '.join(expected)}, found {found or 'the end'}")
        self._at += 1
        return found

    def string(self) -> str:
        """Pass a string."""
        self.skip('"')
        while True:
            try:
                found, self._at = scanstring(self._held, self._at)
            except JSONDecodeError:
                if not self._more():
                    raise
            else:
                return str(found)

    def take(self, values: list[Any]) -> None:
        """Pass elements, each with its comma, as long as they stand in the window and are of an ordinary size."""
        held, at = self._held, self._at
        try:
            while len(values) < _CHUNK - 1:
                found, end = _scan(held, at)
                if held[end] != "," or end - at > _ORDINARY:
                    break
                at = end + 1
                values.append(found)
                if held[at] in " \n\t\r":
                    at = _SPACE.match(held, at).end()  # type: ignore[union-attr]
        except (StopIteration, IndexError, JSONDecodeError):
            pass  # `value` tells what it is
        self._at = at

    def value(self, max_bytes: int, number: int | None) -> Any:
        """Pass a value of at most so many bytes; `number` says which item it is."""
        self.peek()
        while True:
            try:
                found, end = _scan(self._held, self._at)
                if self._ended or end + _EXPONENT < len(self._held) or self._held[end : end + 1] not in _NUMBER:
                    if end - self._at > _ORDINARY and len(self._held[self._at : end].encode()) > max_bytes:
                        raise _too_large(number)
                    self._at = end
                    return found
            except (StopIteration, JSONDecodeError) as error:
                if self._ended or self._is_wrong(error):
                    raise UnreadableItems(f"expected JSON: {_told(error, number)}") from error
            if len(self._held) - self._at > max_bytes:
                raise _too_large(number)
            self._more()

    def _is_wrong(self, error: StopIteration | JSONDecodeError) -> bool:
        """Return whether no text that follows can make it right."""
        if isinstance(error, JSONDecodeError) and error.msg.startswith("Unterminated string"):
            return False
        place = error.pos if isinstance(error, JSONDecodeError) else error.value
        return bool(place + _LITERAL < len(self._held))


def _too_large(number: int | None) -> UnreadableItems:
    if number is None:
        return UnreadableItems(f"expected the items within the first {quotas.BYTES_BEFORE_ITEMS}")
    return too_large(number)


def _told(error: Exception, number: int | None) -> str:
    told = error.msg if isinstance(error, JSONDecodeError) else "Expecting value"
    return told if number is None else f"{told} in item {number}"
