"""The language's operators on values, some of which its functions share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from genomics_pipeline.language.jsonata.library import Functions as Library
from genomics_pipeline.language.jsonata.library import Utils
from genomics_pipeline.language.jsonata.messages import Thrown
from genomics_pipeline.language.jsonata.regular_expressions import Matcher
from genomics_pipeline.language.jsonata.values import is_function, text_of


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


def truth(value: Any) -> bool:
    """Return whether a value counts as true where the language asks: a function does, unlike for ``$boolean``."""
    if isinstance(value, Matcher):
        return False
    return is_function(value) or bool(Library.to_boolean(value))


def whole(value: float) -> float:
    """Return a number of the library: an int where it is whole."""
    return int(value) if math.isfinite(value) and value.is_integer() else value


def string(value: Any, prettify: bool = False) -> str:
    """Evaluate ``$string`` of a value that is there."""
    if isinstance(value, str):
        return value
    if is_function(value):
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        raise Thrown("D3001", value=value)
    return text_of(value, "  " if prettify else "")


def sort(items: list[Any], after: Callable[[Any, Any], bool]) -> list[Any]:
    """Merge sort, which asks in the reference's order; `after(a, b)`: whether `a` comes after `b`."""
    if len(items) <= 1:
        return items
    middle = len(items) // 2
    left, right = sort(items[:middle], after), sort(items[middle:], after)
    found: list[Any] = Utils.JList()
    at = to = 0
    while at < len(left) and to < len(right):
        if after(left[at], right[to]):
            found.append(right[to])
            to += 1
        else:
            found.append(left[at])
            at += 1
    found += left[at:] + right[to:]
    if isinstance(items, Utils.JList):
        vars(found).update(sequence=items.sequence, tuple_stream=items.tuple_stream)
    return found
