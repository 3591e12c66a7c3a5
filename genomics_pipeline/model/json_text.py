"""JSON as this program and Step Functions write it, and as others do."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson

_ABSENT = object()
# Separates values that are parsed or written together: a control character (DEL) that JSON need not escape, and that
# hardly any text contains. Where one does, each value is parsed or written by itself.
_MARK = "\x7f"
_MARK_BYTE = b"\x7f"
_SEPARATOR = b',"\x7f",'


class KeptJson:
    """A JSON value that is kept as its compact text, and decoded when somebody looks at it.

    Args:
        text: The text, as `dumps` writes the value.
        value: The value, if it is known.
    """

    __slots__ = ("_value", "text")

    def __init__(self, text: bytes, value: Any = _ABSENT) -> None:
        self.text = text
        self._value = value

    @property
    def value(self) -> Any:
        """The value, which is decoded once."""
        if self._value is _ABSENT:
            self._value = orjson.loads(self.text)
        return self._value


def decoded(value: Any) -> Any:
    """Return the value of a text that was kept, or any other value itself.

    >>> decoded(KeptJson(b'{"n":1}')), decoded("text")
    ({'n': 1}, 'text')
    """
    return value.value if isinstance(value, KeptJson) else value


def text_of(value: Any) -> bytes:
    """Return a value as compact JSON in UTF-8, which is the text that was kept, if it was; see `dumps`."""
    return value.text if isinstance(value, KeptJson) else dumps(value)


def dumps(value: Any, *, sort_keys: bool = False) -> bytes:
    r"""Return a value as compact JSON in UTF-8.

    >>> dumps({"é": [1, None, 2**70]})
    b'{"\xc3\xa9":[1,null,1180591620717411303424]}'
    >>> dumps([float("inf"), 2**70])
    b'[null,1180591620717411303424]'

    Args:
        value: Any JSON value. Halves of surrogate pairs, which UTF-8 cannot hold, become question marks; numbers that
            are not finite, which JSON cannot hold, become null.
        sort_keys: Write members in the order of their names, not in their own.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None)
    except TypeError:  # integers beyond 64 bits, halves of surrogate pairs
        finite = without_infinities(value)
        text = json.dumps(finite, ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=sort_keys)
        return text.encode(errors="replace")


def dumps_lossless(value: Any) -> bytes:
    r"""Return a value as JSON that `loads_lenient` reads as the same value.

    >>> loads_lenient(dumps_lossless(["\ud83d", 2**70]))
    ['\ud83d', 1180591620717411303424]

    Args:
        value: Any JSON value, with numbers that are finite.
    """
    try:
        return orjson.dumps(value)
    except TypeError:  # integers beyond 64 bits, halves of surrogate pairs, values that are nested deeply
        return json.dumps(value).encode()


def without_infinities(value: Any) -> Any:
    """Return a JSON value with null for each number that is not finite, as orjson writes them."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {name: without_infinities(member) for name, member in value.items()}
        case list() | tuple():
            return [without_infinities(member) for member in value]
        case _:
            return value


def without_surrogates(value: Any) -> Any:
    r"""Return a JSON value with a question mark for each half of a surrogate pair, which UTF-8 cannot hold.

    >>> without_surrogates({"a\ud83d": ["\ud83d\ude00", 1]})
    {'a?': ['??', 1]}
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {without_surrogates(name): without_surrogates(member) for name, member in value.items()}
    if isinstance(value, list):
        return [without_surrogates(member) for member in value]
    return value


def quoted(text: bytes) -> bytes:
    """Return a text as a JSON string.

    >>> quoted(b"[1]")
    b'"[1]"'
    """
    return orjson.dumps(text.decode())


def dumps_each(values: list[Any], *, default: Any = None, option: int | None = None) -> list[bytes]:
    """Return each value as compact JSON in UTF-8, in a fraction of the time of one call for each.

    >>> dumps_each([{"n": 1}, [None, 2]])
    [b'{"n":1}', b'[null,2]']

    Args:
        values: JSON values, or values that `default` and `option` turn into some.
        default: As for `orjson.dumps`.
        option: As for `orjson.dumps`.
    """
    if not values:
        return []
    marked = [_MARK] * (2 * len(values) - 1)
    marked[::2] = values
    try:
        written = orjson.dumps(marked, default=default, option=option)
        if written.count(_MARK_BYTE) < len(values):
            return written[1:-1].split(_SEPARATOR)
        return [orjson.dumps(value, default=default, option=option) for value in values]
    except TypeError:  # see `dumps`
        if default is not None:
            raise
        return list(map(dumps, values))


def compact_lines(lines: bytes) -> tuple[bytes, int]:
    r"""Return lines of JSON as `dumps` would write their values, and their number.

    Lines that all are so written are returned as the same object.

    >>> compact_lines(b'{"n":1}\n [1e2, "x"]')
    (b'{"n":1}\n[100.0,"x"]', 2)

    Args:
        lines: JSON texts, with a line end between each two of them.

    Raises:
        ValueError: if one of the lines is not JSON.
    """
    joined = b"[%b]" % lines.replace(b"\n", _SEPARATOR)
    count = (len(joined) - len(b"[]") - len(lines)) // (len(_SEPARATOR) - len(b"\n")) + 1  # faster than to look again
    marked = orjson.loads(joined)
    if len(marked) != 2 * count - 1 or marked[1::2] != [_MARK] * (count - 1):
        raise ValueError("expected one JSON value in each line")
    try:
        written = orjson.dumps(marked)
    except TypeError:  # nested deeply
        return _compact_each(lines), count
    if _MARK_BYTE in lines:
        return _compact_each(lines), count
    if written == joined:
        return lines, count
    if written.count(_MARK_BYTE) >= count:  # some were escapes
        return _compact_each(lines), count
    return written[1:-1].replace(_SEPARATOR, b"\n"), count


def _compact_each(lines: bytes) -> bytes:
    return b"\n".join(dumps(orjson.loads(line)) for line in lines.split(b"\n"))


def compact(value: Any) -> str:
    """Return a value as compact JSON text, as Step Functions writes it.

    >>> compact(["é", 0.5])
    '["é",0.5]'
    """
    return dumps(value).decode()


def loads(text: bytes | str) -> Any:
    """Return the value of JSON text.

    Raises:
        ValueError: for anything else; NaN, Infinity and halves of surrogate pairs are no JSON.
    """
    return orjson.loads(text)


def loads_lenient(text: bytes | str) -> Any:
    r"""Return the value of JSON text that another program wrote, which may hold halves of surrogate pairs.

    >>> loads_lenient(r'["\ud83d"]')
    ['\ud83d']

    Raises:
        ValueError: for anything else.
        RecursionError: for text that is nested too deeply.
    """
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


def is_text(value: str) -> bool:
    r"""Return whether UTF-8 can hold a text: not the path of a file whose name has other bytes.

    >>> is_text("café"), is_text("caf\udce9")
    (True, False)
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
