"""JSON in and out, compact, as fast as it goes."""

from __future__ import annotations

import json
from typing import Any

import orjson


def dumps(value: Any, *, sort_keys: bool = False) -> bytes:
    """The value as compact JSON.

    >>> dumps({"é": [1, None, 2**70]})
    b'{"\\xc3\\xa9":[1,null,1180591620717411303424]}'

    Args:
        value: Any JSON value.
        sort_keys: Whether members stand in the order of their names, not in their own.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None)
    except TypeError:  # integers beyond 64 bits, halves of surrogate pairs
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=sort_keys)
        return written.encode(errors="replace")


def compact(value: Any) -> str:
    """The value as compact JSON text, as Step Functions writes it.

    >>> compact(["é", 0.5])
    '["é",0.5]'
    """
    return dumps(value).decode()


def loads(data: bytes | str) -> Any:
    """The value of JSON text.

    Raises:
        ValueError: if it is none; NaN and Infinity are none.
    """
    return orjson.loads(data)
