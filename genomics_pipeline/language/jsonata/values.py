"""Values between JSON and the library: null, numbers and their text, functions."""

from __future__ import annotations

import math
from decimal import ROUND_FLOOR, Context, Decimal
from json.encoder import encode_basestring
from typing import Any

from genomics_pipeline.language.jsonata.library import Functions as Library
from genomics_pipeline.language.jsonata.library import Utils

NULL = Utils.NULL_VALUE
LONG = 2**63  # AWS keeps whole numbers exactly up to here; beyond, they are doubles


_FIFTEEN_DIGITS = Context(prec=15, rounding=ROUND_FLOOR)


def is_function(value: Any) -> bool:
    """Return whether a value is a function: of the library, of an expression, or a regular expression."""
    return bool(Utils.is_function(value) or Library.is_lambda(value))


class NotJson(Exception):
    """A value holds a function, which JSON cannot."""


def with_nulls(value: Any) -> Any:
    """Return a JSON value with the library's null, since None is nothing to it; the value itself where it has no null.

    >>> with_nulls({"a": [1, None]})
    {'a': [1, null]}
    """
    if value is None:
        return NULL
    if isinstance(value, dict):
        changed = {key: new for key, old in value.items() if (new := with_nulls(old)) is not old}
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        new = [with_nulls(member) for member in value]
        return new if any(a is not b for a, b in zip(new, value, strict=True)) else value
    return value


def plain(value: Any) -> Any:
    """Return a value of the library as JSON, with numbers as AWS writes them.

    A whole number has no point, up to the largest of 64 bits; what no JSON number can be is a string.

    >>> plain([2.0, 2**63, float("inf"), NULL])
    [2, 9.223372036854776e+18, 'Infinity', None]

    Raises:
        NotJson: It holds a function.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    if is_function(value):
        raise NotJson
    return None


def _number(value: float) -> float | str:
    if isinstance(value, int):
        return value if -LONG <= value < LONG else float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() and -LONG <= value < LONG else value


def number_text(value: float) -> str:
    """Return a number as JavaScript writes it: ``1e21`` is ``1e+21``, and a whole number has no point.

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
    """Return a number that is not whole as AWS's ``$string`` writes it: to 15 digits, the rest dropped downwards.

    >>> fraction_text(2 / 3), fraction_text(-2 / 3), fraction_text(0.1 + 0.2), fraction_text(1.5e-7)
    ('0.666666666666666', '-0.666666666666667', '0.3', '1.5e-7')
    """
    exact = Decimal(repr(value))
    return str(_FIFTEEN_DIGITS.create_decimal(exact).normalize()).lower()


def text_of(value: Any, indent: str = "", deep: str = "") -> str:
    """JSON text as ``$string`` writes it; functions are empty strings."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        colon = ": " if indent else ":"
        members = [f"{quoted(name)}{colon}{text_of(member, indent, deep + indent)}" for name, member in value.items()]
        return _joined("{", members, "}", indent, deep)
    if isinstance(value, list):
        return _joined("[", [text_of(member, indent, deep + indent) for member in value], "]", indent, deep)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if not math.isfinite(value):
            return "null"
        return number_text(value) if value == int(value) else fraction_text(value)
    return '""' if is_function(value) else "null"


def quoted(text: str) -> str:
    """Return a string of JSON text.

    AWS leaves control characters without a letter as they are (iwamot/sfnx, STRING_CASES), which no strict reader of
    JSON takes: here they are escaped, as the reference implementation does.
    """
    found: str = encode_basestring(text)
    return found


def _joined(start: str, members: list[str], end: str, indent: str, deep: str) -> str:
    if not members or not indent:
        return start + ",".join(members) + end
    return f"{start}\n{deep}{indent}" + f",\n{deep}{indent}".join(members) + f"\n{deep}{end}"


def equal(left: Any, right: Any) -> bool:
    """Deep equality, in which true is not 1."""
    return bool(Utils.is_deep_equal(left, right))
