"""JSON from outside, parsed within the budgets of nesting and digits."""

from __future__ import annotations

import json
import math
from typing import Any

from genomics_pipeline.model import budgets


def parse_json(text: str | bytes) -> Any:
    r"""Return the value of JSON text.

    >>> parse_json('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}

    Raises:
        ValueError: for anything else, such as NaN, or beyond a budget; `json.JSONDecodeError` has line and column.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_finite)
    except RecursionError:
        raise ValueError(f"more than {budgets.JSON_DEPTH.value:,} nested arrays and objects") from None
    refuse_deep(value)
    return value


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
