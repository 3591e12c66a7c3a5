"""JSON from outside, parsed within the budgets of nesting and digits."""

from __future__ import annotations

import json
import math
import re
from contextlib import suppress
from typing import Any

import orjson

from genomics_pipeline.model import budgets

_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG = b"0" * 19  # digits; shorter numbers have less than 64 bits
_NUMERAL = re.compile(rb"[\s:,\[]-?[0-9]{19}")


def parse_json(text: str | bytes) -> Any:
    r"""Return the value of JSON text.

    >>> parse_json('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}

    Raises:
        ValueError: for anything else, such as NaN, or beyond a budget; `json.JSONDecodeError` has line and column.
    """
    if isinstance(text, bytes) and not _has_long_number(text):
        with suppress(ValueError):  # what it refuses is read again, for the message
            value = orjson.loads(text)
            if text.count(b"{") + text.count(b"[") > budgets.JSON_DEPTH.value:
                refuse_deep(value)
            return value
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_finite)
    except RecursionError:
        raise ValueError(f"more than {budgets.JSON_DEPTH.value:,} nested arrays and objects") from None
    refuse_deep(value)
    return value


def _has_long_number(text: bytes) -> bool:
    """Return whether there may be a number of more digits than 64 bits are sure to hold."""
    zeros = text.translate(_ZEROS)
    at = zeros.find(_LONG)
    while at >= 0:
        if at < len("-0") or _NUMERAL.match(text, at - 1) or _NUMERAL.match(text, at - 2):
            return True
        at = zeros.find(_LONG, at + len(_LONG))
    return False


def refuse_deep(value: Any, most: int = budgets.JSON_DEPTH.value) -> None:
    """Refuse a value that is nested too deeply for functions that call themselves for each level.

    Args:
        value: Objects, arrays and other values.
        most: The number of levels that is allowed.

    Raises:
        ValueError: if it has more levels.
    """
    level = [value]
    for _ in range(most):
        level = [member for one in level for member in _members(one)]
        if not level:
            return
    raise ValueError(f"more than {most:,} nested arrays and objects")


def _members(value: Any) -> list[Any]:
    """Return the members of an array or object that are arrays or objects themselves."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [member for member in members if isinstance(member, dict | list)]


def _finite(numeral: str) -> float:
    number = float(numeral)
    if not math.isfinite(number):
        raise ValueError(f"the number {numeral[:40]}, which is too large for a double")
    return number


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name}, which is not valid JSON")


def _integer(digits: str) -> int:
    if len(digits) > budgets.NUMBER_DIGITS.value:
        raise ValueError(f"a number of {len(digits):,} digits, of which {budgets.NUMBER_DIGITS.value:,} are allowed")
    return int(digits)
