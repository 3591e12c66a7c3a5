"""The rules of a JSONPath Choice: ``Variable`` and one comparison, or ``And``, ``Or``, ``Not`` of rules.

Semantics: States Language, "Choice State". Values of another type than the operator's do not match; only a Variable
that is not there is an error.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from genomics_pipeline.engine.errors import RUNTIME, StatesError

Find = Callable[[str], Any]  # the value of a path; StatesError where there is none
_ABSENT = object()


def matches(rule: Mapping[str, Any], find: Find) -> bool:
    """Whether a rule matches.

    >>> matches({"Variable": "$.n", "NumericGreaterThan": 1}, lambda path: 2)
    True

    Raises:
        StatesError: ``States.Runtime``, for a Variable that is not there.
    """
    if "And" in rule:
        return all(matches(one, find) for one in rule["And"])
    if "Or" in rule:
        return any(matches(one, find) for one in rule["Or"])
    if "Not" in rule:
        return not matches(rule["Not"], find)
    name = next(name for name in rule if name.removesuffix("Path") in _COMPARISONS or name in _TESTS)
    value = _variable(rule["Variable"], find)
    if name == "IsPresent":
        return (value is not _ABSENT) is rule[name]
    if value is _ABSENT:
        path = rule["Variable"]
        cause = f"Invalid path '{path}': The choice state's condition path references an invalid value."
        raise StatesError(RUNTIME, cause, evaluating=True)
    if name in _TESTS:
        return _TESTS[name](value) is rule[name]
    return _compare(name, value, rule[name], find)


def _variable(path: str, find: Find) -> Any:
    try:
        return find(path)
    except StatesError:
        return _ABSENT


def _compare(name: str, value: Any, expected: Any, find: Find) -> bool:
    if name not in _COMPARISONS:  # NumericEqualsPath and its like
        name, expected = name.removesuffix("Path"), find(expected)
    typed, compare = _COMPARISONS[name]
    left, right = typed(value), typed(expected)
    return left is not None and right is not None and bool(compare(left, right))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _timestamp(value: Any) -> datetime | None:
    """A time as RFC 3339 has it, with an uppercase ``T`` and, where there is no offset, ``Z``."""
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _like(value: str, pattern: str) -> bool:
    """``StringMatches``: ``*`` stands for any characters; ``\\*`` and ``\\\\`` for themselves."""
    return _pattern(pattern).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", text, re.DOTALL)
    return re.compile("".join(".*" if part == "*" else re.escape(_plain(part)) for part in parts), re.DOTALL)


def _plain(part: str) -> str:
    return part[1:] if part in (r"\*", r"\\") else part


_TYPES: dict[str, Callable[[Any], Any]] = {"String": _text, "Numeric": _number, "Timestamp": _timestamp}
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
_COMPARISONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], bool]]] = {
    **{f"{kind}{order}": (typed, compare) for kind, typed in _TYPES.items() for order, compare in _ORDERS.items()},
    "BooleanEquals": (_boolean, operator.eq),
    "StringMatches": (_text, _like),
}
_TESTS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsPresent": lambda value: True,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": lambda value: _number(value) is not None,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: _timestamp(value) is not None,
}
