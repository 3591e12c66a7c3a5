"""JSON in and out, compact, as fast as it goes."""

from __future__ import annotations

import json
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """JSON as UTF-8 without spaces; integers beyond 64 bits keep their digits."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def sorted_dumps(value: Any) -> bytes:
    """The same, members in the order of their names."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def text(value: Any) -> str:
    """JSON as text.

    >>> text({"n": 2**70, "s": "é"})
    '{"n":1180591620717411303424,"s":"é"}'
    """
    return dumps(value).decode()


def loads(data: bytes | str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: if it is none.
    """
    return orjson.loads(data)
