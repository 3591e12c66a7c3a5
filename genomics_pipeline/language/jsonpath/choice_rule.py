"""The rules of a JSONPath Choice: ``Variable`` and one comparison, or ``And``, ``Or``, ``Not`` of rules.

Semantics: States Language, "Choice State". A value of another type than the operator's does not match; only a path to
no value is an error.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from genomics_pipeline.language.jsonpath.path import BEYOND_END, NotFound, find, resolve
from genomics_pipeline.language.jsonpath.scope import PathScope
from genomics_pipeline.language.timestamps import parse_timestamp


def matches(rule: Mapping[str, Any], scope: PathScope, prefix: str) -> bool:
    """Return whether a rule matches.

    >>> matches({"Variable": "$.n", "NumericGreaterThan": 1}, PathScope({"n": 2}), "")
    True

    Args:
        rule: The rule.
        scope: The data that its paths refer to.
        prefix: The path to the rule, for causes: ``Choices[0]/``.

    Raises:
        StatesError: ``States.Runtime``, for a path to no value.
    """
    if "And" in rule:
        return all(matches(inner, scope, prefix) for inner in rule["And"])
    if "Or" in rule:
        return any(matches(inner, scope, prefix) for inner in rule["Or"])
    if "Not" in rule:
        return not matches(rule["Not"], scope, prefix)
    if "IsPresent" in rule:
        return _is_present(rule["Variable"], scope) is rule["IsPresent"]
    value = find(rule["Variable"], scope, f"{prefix}Variable")
    name = next(name for name in rule if name in _TESTS or name.removesuffix("Path") in _COMPARISONS)
    if name in _TESTS:
        return _TESTS[name](value) is rule[name]
    expected = rule[name] if name in _COMPARISONS else find(rule[name], scope, f"{prefix}{name}")
    typed, compare = _COMPARISONS[name.removesuffix("Path")]
    left, right = typed(value), typed(expected)
    return left is not None and right is not None and compare(left, right)


def _is_present(path: str, scope: PathScope) -> bool:
    try:
        return resolve(path, scope) is not BEYOND_END
    except NotFound:
        return False


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _timestamp(value: Any) -> datetime | None:
    return parse_timestamp(value) if isinstance(value, str) else None


def _matches_pattern(value: str, pattern: str) -> bool:
    r"""Return whether ``StringMatches`` holds: ``*`` is any characters, ``\*`` an asterisk, ``\\`` a backslash."""
    return _compile_pattern(pattern).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _compile_pattern(text: str) -> re.Pattern[str]:
    literals = [""]
    for part in re.findall(r"\\[*\\]|\*|[^*\\]+|\\", text, re.DOTALL):
        if part == "*":
            literals.append("")
        else:
            literals[-1] += re.escape(_unescape(part))
    first, *rest = literals
    if not rest:
        return re.compile(first)
    *middle, last = rest
    # If the first occurrence of a literal does not lead to a match, no other does: ``(?>`` prevents backtracking.
    return re.compile(first + "".join(f"(?>.*?{literal})" for literal in middle) + f".*{last}", re.DOTALL)


def _unescape(part: str) -> str:
    return part[1:] if part in (r"\*", r"\\") else part


# Each also exists as ``…Path``, whose value is the path to the right operand.
_COMPARISONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], bool]]] = {
    "StringEquals": (_text, operator.eq),
    "StringLessThan": (_text, operator.lt),
    "StringLessThanEquals": (_text, operator.le),
    "StringGreaterThan": (_text, operator.gt),
    "StringGreaterThanEquals": (_text, operator.ge),
    "NumericEquals": (_number, operator.eq),
    "NumericLessThan": (_number, operator.lt),
    "NumericLessThanEquals": (_number, operator.le),
    "NumericGreaterThan": (_number, operator.gt),
    "NumericGreaterThanEquals": (_number, operator.ge),
    "TimestampEquals": (_timestamp, operator.eq),
    "TimestampLessThan": (_timestamp, operator.lt),
    "TimestampLessThanEquals": (_timestamp, operator.le),
    "TimestampGreaterThan": (_timestamp, operator.gt),
    "TimestampGreaterThanEquals": (_timestamp, operator.ge),
    "StringMatches": (_text, _matches_pattern),
    "BooleanEquals": (_boolean, operator.eq),
}
_TESTS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": lambda value: _number(value) is not None,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: _timestamp(value) is not None,
}
