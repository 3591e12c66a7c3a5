"""Operators on values, some of which the functions share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from genomics_pipeline.language.jsonata.library import Functions as Library
from genomics_pipeline.language.jsonata.library import Utils
from genomics_pipeline.language.jsonata.messages import JsonataError
from genomics_pipeline.language.jsonata.regular_expressions import Matcher
from genomics_pipeline.language.jsonata.values import is_function, json_text


def _remainder(left: float, right: float) -> float:
    return math.fmod(left, right) if right and math.isfinite(left) else math.nan


def _quotient(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _quotient,
    "%": _remainder,
}


def is_true(value: Any) -> bool:
    """Return whether a value is true as a condition; a function is, unlike for ``$boolean``."""
    if isinstance(value, Matcher):
        return False
    return is_function(value) or bool(Library.to_boolean(value))


def integer_if_whole(value: float) -> float:
    """Return a whole number as an int, as the library expects; any other unchanged."""
    return int(value) if math.isfinite(value) and value.is_integer() else value


def string(value: Any, prettify: bool = False) -> str:
    """Evaluate ``$string`` of a value other than nothing."""
    if isinstance(value, str):
        return value
    if is_function(value):
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        raise JsonataError("D3001", value=value)
    return json_text(value, "  " if prettify else "")


def sort(items: list[Any], after: Callable[[Any, Any], bool]) -> list[Any]:
    """Sort items by merging, comparing them in the reference's order; `after(a, b)` is true if `a` follows `b`."""
    if len(items) <= 1:
        return items
    middle = len(items) // 2
    left, right = sort(items[:middle], after), sort(items[middle:], after)
    merged: list[Any] = Utils.JList()
    left_index = right_index = 0
    while left_index < len(left) and right_index < len(right):
        if after(left[left_index], right[right_index]):
            merged.append(right[right_index])
            right_index += 1
        else:
            merged.append(left[left_index])
            left_index += 1
    merged += left[left_index:] + right[right_index:]
    if isinstance(items, Utils.JList):
        vars(merged).update(sequence=items.sequence, tuple_stream=items.tuple_stream)
    return merged
