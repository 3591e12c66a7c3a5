"""``InputType: JSON``: the items are the elements of an array, to which ``ItemsPointer`` (RFC 6901) points.

The array is read element by element, so its size does not matter. AWS requires that it begins within the first 16 MB,
because values before it are held in memory. The text after it is not read.
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
    not_utf8,
    too_large,
)
from genomics_pipeline.model import quotas

_CHUNK = 1000  # items
_SURELY_SMALL = quotas.READER_ITEM.value // 4  # characters, which are at most 4 bytes each in UTF-8
_LONGEST_LITERAL = 16  # characters; more than those of any literal or escape sequence
_NUMBER = "0123456789.eE+-"  # characters that may continue a number; "" in _NUMBER is true at the window's end
_EXPONENT = 3  # characters that decide whether a number continues
_KINDS = {"{": "an object", '"': "a string", "n": "null", "t": "true", "f": "false"}
_KINDS |= dict.fromkeys("-0123456789", "a number")
_SPACE = re.compile(r"[ \t\n\r]*")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"expected JSON, found {name}")


_scan = json.JSONDecoder(parse_constant=_refuse_constant).scan_once  # type: ignore[attr-defined]


def read(blocks: Iterable[bytes], pointer: str = "") -> Iterator[list[Any]]:
    """Yield the items in chunks.

    Raises:
        UnreadableItems: if the content up to the array's end is not valid JSON, or if the pointer points to nothing.
        ItemReaderCause: if the pointer points to a value other than an array.
    """
    text = _JsonText(blocks)
    try:
        for part in pointer.split("/")[1:]:
            _descend(text, part.replace("~1", "/").replace("~0", "~"), pointer)
        if text.peek() != "[":
            # Recorded: localstack/localstack test_base_scenarios test_map_item_reader_json_no_json_list_object
            where = (
                f"at ItemsPointer {pointer}" if pointer else "as the whole text, or an ItemsPointer that leads to one"
            )
            expected = f"expected an array of items {where}"
            raise ItemReaderCause("Attempting to map over non-iterable node.", f"{expected}; found {text.kind()}")
        yield from _elements(text)
    except UnicodeDecodeError as error:
        raise not_utf8(error) from error
    except JSONDecodeError as error:
        raise UnreadableItems(f"expected JSON: {error.msg}") from error
    except ValueError as error:
        raise UnreadableItems(str(error)) from error


def _elements(text: _JsonText) -> Iterator[list[Any]]:
    text.skip("[")
    count = 0
    values: list[Any] = []
    if text.peek() == "]":
        return
    while True:
        text.read_small_elements(values)
        values.append(text.read_value(quotas.READER_ITEM.value, count + len(values) + 1))
        if len(values) >= _CHUNK:
            yield values
            count += len(values)
            values = []
        if text.skip(",]") == "]":
            yield values
            return


def _descend(text: _JsonText, token: str, pointer: str) -> None:
    """Advance to a member of the next object, or to an element of the next array.

    Args:
        text: The text; its next value is the object or array.
        token: The member's name or the element's number.
        pointer: The whole pointer, for messages.
    """
    opening = text.peek()
    if opening not in ("{", "["):
        raise UnreadableItems(f"expected items at ItemsPointer {pointer}, found nothing there")
    text.skip(opening)
    number = 0
    while text.peek() not in ("}", "]"):
        if opening == "{":
            name = text.read_string()
            text.skip(":")
        else:
            name = str(number)
        if name == token:
            return
        text.read_value(quotas.BYTES_BEFORE_ITEMS.value, None)
        number += 1
        if text.peek() == ",":
            text.skip(",")
    raise UnreadableItems(f"expected items at ItemsPointer {pointer}, found nothing there")


class _JsonText:
    """JSON text of which only a window is held in memory, from the next value to the end of the last block read."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._window = ""
        self._position = 0
        self._ended = False

    def _read_block(self) -> bool:
        """Append a block to the window and drop the text before the next value; return false at the end."""
        if self._ended:
            return False
        block = next(self._blocks, b"")
        self._ended = not block
        self._window = self._window[self._position :] + self._decoder.decode(block, final=self._ended)
        self._position = 0
        return True

    def peek(self) -> str:
        """Return the next character other than whitespace; an empty string at the end."""
        while True:
            self._position = _SPACE.match(self._window, self._position).end()  # type: ignore[union-attr]
            if self._position < len(self._window):
                return self._window[self._position]
            if not self._read_block():
                return ""

    def kind(self) -> str:
        """Return the words for the kind of the next value."""
        first = self.peek()
        return _KINDS.get(first, "no JSON") if first else "no value"

    def skip(self, expected: str) -> str:
        """Skip the next character, which must be one of those expected, and return it."""
        character = self.peek()
        if not character or character not in expected:
            raise UnreadableItems(f"expected {' or '.join(expected)}, found {character or 'the end'}")
        self._position += 1
        return character

    def read_string(self) -> str:
        """Read a string and return its value."""
        self.skip('"')
        while True:
            try:
                string, self._position = scanstring(self._window, self._position)
            except JSONDecodeError:
                if not self._read_block():
                    raise
            else:
                return str(string)

    def read_small_elements(self, values: list[Any]) -> None:
        """Read elements that are followed by a comma in the window and surely not too large, and append them."""
        window, position = self._window, self._position
        try:
            while len(values) < _CHUNK - 1:
                value, end = _scan(window, position)
                if window[end] != "," or end - position > _SURELY_SMALL:
                    break
                position = end + 1
                values.append(value)
                if window[position] in " \n\t\r":
                    position = _SPACE.match(window, position).end()  # type: ignore[union-attr]
        except (StopIteration, IndexError, JSONDecodeError):
            pass  # `read_value` reads or reports it
        self._position = position

    def read_value(self, max_bytes: int, number: int | None) -> Any:
        """Read a value.

        Args:
            max_bytes: Its maximum size.
            number: The item's number, from 1, for messages; None for a value before the items.

        Raises:
            UnreadableItems: if it is too large or not valid JSON.
        """
        self.peek()
        while True:
            try:
                value, end = _scan(self._window, self._position)
                if self._is_complete(end):
                    size = end - self._position
                    if size > _SURELY_SMALL and len(self._window[self._position : end].encode()) > max_bytes:
                        raise _too_large(number)
                    self._position = end
                    return value
            except (StopIteration, JSONDecodeError) as error:
                if self._ended or self._is_final(error):
                    raise UnreadableItems(f"expected JSON: {_message(error, number)}") from error
            if len(self._window) - self._position > max_bytes:
                raise _too_large(number)
            self._read_block()

    def _is_complete(self, end: int) -> bool:
        """Return whether a value that ends at `end` cannot be a number which text after the window continues."""
        return self._ended or end + _EXPONENT < len(self._window) or self._window[end : end + 1] not in _NUMBER

    def _is_final(self, error: StopIteration | JSONDecodeError) -> bool:
        """Return whether the text is invalid regardless of what follows the window."""
        if isinstance(error, JSONDecodeError) and error.msg.startswith("Unterminated string"):
            return False
        position = error.pos if isinstance(error, JSONDecodeError) else error.value
        return bool(position + _LONGEST_LITERAL < len(self._window))


def _too_large(number: int | None) -> UnreadableItems:
    if number is None:
        return UnreadableItems(f"expected the items within the first {quotas.BYTES_BEFORE_ITEMS}")
    return too_large(number)


def _message(error: Exception, number: int | None) -> str:
    message = error.msg if isinstance(error, JSONDecodeError) else "Expecting value"
    return message if number is None else f"{message} in item {number}"
