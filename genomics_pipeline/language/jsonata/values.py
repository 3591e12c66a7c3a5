"""Conversions of values between JSON, the library and text."""

from __future__ import annotations

import math
from collections.abc import Hashable
from decimal import ROUND_FLOOR, Context, Decimal
from json.encoder import encode_basestring
from typing import Any

from genomics_pipeline.language.jsonata.library import Functions as Library
from genomics_pipeline.language.jsonata.library import Utils

NULL = Utils.NULL_VALUE
LONG = 2**63  # AWS's integers have 64 bits; larger ones become doubles


_FIFTEEN_DIGITS = Context(prec=15, rounding=ROUND_FLOOR)


def is_function(value: Any) -> bool:
    """Return whether a value is a function: built-in, a lambda, or a regular expression."""
    return bool(Utils.is_function(value) or Library.is_lambda(value))


class NotJson(Exception):
    """The error of a value that contains a function, which JSON cannot represent."""


def with_nulls(value: Any) -> Any:
    """Return a JSON value with the library's null for None, and doubles for integers beyond 64 bits.

    It is the same object if it contains none of these.

    >>> with_nulls({"a": [1, None]})
    {'a': [1, null]}
    """
    if value is None:
        return NULL
    if type(value) is int and not -LONG <= value < LONG:
        return to_double(value)
    if isinstance(value, dict):
        changed = {key: new for key, old in value.items() if (new := with_nulls(old)) is not old}
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        new = [with_nulls(member) for member in value]
        return new if any(a is not b for a, b in zip(new, value, strict=True)) else value
    return value


def to_double(value: int) -> float:
    """Return an integer as a double: infinity beyond the greatest.

    >>> to_double(2**70), to_double(-(10**400))
    (1.1805916207174113e+21, -inf)
    """
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def to_json(value: Any) -> Any:
    """Return a value of the library as a JSON value, with numbers as AWS writes them.

    A whole number is an integer if it fits into 64 bits; infinities and NaN are strings.

    >>> to_json([2.0, 2**63, float("inf"), NULL])
    [2, 9.223372036854776e+18, 'Infinity', None]

    Raises:
        NotJson: if it contains a function.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, dict):
        return {key: to_json(member) for key, member in value.items()}
    if isinstance(value, list):
        return [to_json(member) for member in value]
    if is_function(value):
        raise NotJson
    return None


def _number(value: float) -> float | str:
    if isinstance(value, int):
        if -LONG <= value < LONG:
            return value
        value = to_double(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() and -LONG <= value < LONG else value


def number_text(value: float) -> str:
    """Return a number in JavaScript's notation: ``1e+21`` for ``1e21``, and whole numbers without a point.

    >>> number_text(1e20), number_text(1e21), number_text(1e-7), number_text(0.5), number_text(2**62)
    ('100000000000000000000', '1e+21', '1e-7', '0.5', '4611686018427387904')
    """
    if isinstance(value, int) and -LONG <= value < LONG:
        return str(value)
    if value == 0:
        return "0"
    sign, numerals, power = Decimal(repr(float(value))).normalize().as_tuple()
    digits = "".join(map(str, numerals))
    point = len(digits) + int(power)
    if len(digits) <= point <= 21:
        text = digits + "0" * (point - len(digits))
    elif 0 < point <= 21:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        text = digits[0] + ("." + digits[1:] if len(digits) > 1 else "") + f"e{point - 1:+d}"
    return "-" * sign + text


def fraction_text(value: float) -> str:
    """Return a fractional number in the notation of AWS's ``$string``, rounded down to 15 significant digits.

    >>> fraction_text(2 / 3), fraction_text(-2 / 3), fraction_text(0.1 + 0.2), fraction_text(1.5e-7)
    ('0.666666666666666', '-0.666666666666667', '0.3', '1.5e-7')
    """
    exact = Decimal(repr(value))
    return str(_FIFTEEN_DIGITS.create_decimal(exact).normalize()).lower()


def json_text(value: Any, indent: str = "", current_indent: str = "") -> str:
    """Return the JSON text of a value as ``$string`` does, with an empty string for a function.

    Args:
        value: A value of the library.
        indent: The indentation of one level; empty for compact text.
        current_indent: The indentation of the line on which the value starts.
    """
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, dict):
        colon = ": " if indent else ":"
        members = [
            f"{quote(name)}{colon}{json_text(member, indent, current_indent + indent)}"
            for name, member in value.items()
        ]
        return _join("{", members, "}", indent, current_indent)
    if isinstance(value, list):
        return _join(
            "[", [json_text(member, indent, current_indent + indent) for member in value], "]", indent, current_indent
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if not math.isfinite(value):
            return "null"
        return number_text(value) if value == int(value) else fraction_text(value)
    return '""' if is_function(value) else "null"


def quote(text: str) -> str:
    r"""Return a text as a JSON string.

    AWS does not escape control characters such as ``\u0001`` (iwamot/sfnx, STRING_CASES), which strict parsers of
    JSON refuse: here they are escaped, as in the reference implementation.
    """
    quoted: str = encode_basestring(text)
    return quoted


def _join(start: str, members: list[str], end: str, indent: str, current_indent: str) -> str:
    if not members or not indent:
        return start + ",".join(members) + end
    return (
        f"{start}\n{current_indent}{indent}" + f",\n{current_indent}{indent}".join(members) + f"\n{current_indent}{end}"
    )


def equal(left: Any, right: Any) -> bool:
    """Return whether two values are deeply equal; true is not equal to 1."""
    return bool(Utils.is_deep_equal(left, right))


def comparison_key(value: Any) -> Hashable:
    """Return a key that two values share if they are deeply equal.

    >>> comparison_key({"a": 1, "b": [True]}) == comparison_key({"b": [True], "a": 1.0})
    True
    >>> comparison_key([1]) == comparison_key([True])
    False
    """
    if isinstance(value, dict):
        return frozenset((name, comparison_key(member)) for name, member in value.items())
    if isinstance(value, list):
        return tuple(comparison_key(member) for member in value)
    return (type(value) if isinstance(value, bool) else None, value)
