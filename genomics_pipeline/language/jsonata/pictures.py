"""Numbers and times by picture strings: what the library's formatting lets pass or rounds otherwise, and its errors."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from genomics_pipeline.language.jsonata.library import DateTimeUtils
from genomics_pipeline.language.jsonata.library import Functions as Library
from genomics_pipeline.language.jsonata.messages import Thrown

_TIMESTAMP = re.compile(
    r"(\d{4})(?:-([01]\d)(?:-([0-3]\d))?)?(?:T([0-2]\d):([0-5]\d):([0-5]\d)(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?)?"
)
_ZONE = re.compile(r"[+-]\d{4}")


def format_number(value: Any, picture: str, options: dict[str, str] | None) -> str | None:
    """Evaluate ``$formatNumber``: half to even, of the decimal digits that the number is written with."""
    return None if value is None else _formatted(value, picture, options or {})


def format_integer(value: Any, picture: str) -> str | None:
    """Evaluate ``$formatInteger``."""
    return None if value is None else str(_picture(DateTimeUtils.format_integer, math.floor(value), picture))


def parse_integer(text: str | None, picture: str) -> Any:
    """Evaluate ``$parseInteger``."""
    try:
        return None if text is None else _picture(DateTimeUtils.parse_integer, text, picture)
    except ValueError:
        return math.nan


def to_millis(text: str | None, picture: str | None) -> Any:
    """Evaluate ``$toMillis``."""
    if text is None:
        return None
    if picture is not None:
        return _picture(DateTimeUtils.parse_datetime, text, picture)
    found = _TIMESTAMP.fullmatch(text)
    if not found:
        raise Thrown("D3110", value=text)
    return _millis(found)


def from_millis(millis: Any, picture: str | None, timezone: str | None) -> Any:
    """Evaluate ``$fromMillis``: on AWS, of what is no number nothing, and a strange time zone is UTC."""
    if isinstance(millis, bool) or not isinstance(millis, int | float):
        return None
    zone = timezone if _ZONE.fullmatch(timezone or "") else None
    return _picture(DateTimeUtils.format_datetime, int(millis), picture, zone)


def rounded(value: Any, places: int) -> Decimal:
    """Round a number to so many places, half to even."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    try:
        return exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    except InvalidOperation:  # more digits than there is a difference for
        return exact


def _formatted(value: Any, picture: str, options: dict[str, str]) -> str:
    def of(name: str, default: str) -> str:
        return options.get(name, default)

    zero, point = of("zero-digit", "0"), of("decimal-separator", ".")
    digits = "".join(chr(ord(zero) + place) for place in range(10)) + of("digit", "#")
    parts = picture.split(of("pattern-separator", ";"))
    for part in parts:
        _check(part, digits, of("grouping-separator", ","), point, of("exponent-separator", "e"))
    part = parts[-1] if value < 0 else parts[0]
    scale = 2 if of("percent", "%") in part else 3 if of("per-mille", "‰") in part else 0
    exact = Decimal(repr(value))
    if of("exponent-separator", "e") not in part.strip():
        fraction = part.partition(point)[2]
        exact = rounded(exact.scaleb(scale), sum(sign in digits for sign in fraction)).scaleb(-scale)
    found: str = Library.format_number(exact, picture, options)
    return found


def _check(part: str, digits: str, grouping: str, point: str, exponent: str) -> None:
    """Refuse what the library lets pass, or gives another code."""
    active = [place for place, sign in enumerate(part) if sign in digits + grouping + point]
    middle = part[active[0] : active[-1] + 1] if active else ""
    if any(sign not in digits + grouping + point + exponent for sign in middle) or not middle:
        raise Thrown("D3086")
    if grouping * 2 in part:
        raise Thrown("D3089")
    whole = middle.partition(exponent)[0].partition(point)[0]
    if re.search(f"[{re.escape(digits[:10])}].*{re.escape(digits[10])}", whole):
        raise Thrown("D3090")
    if part[len(part[: active[-1] + 1]) :].startswith(exponent):
        raise Thrown("D3093")


def _picture(function: Any, value: Any, picture: str | None, *more: Any) -> Any:
    """Call a function of the library, and name the part of the picture in its errors, which the library does not."""
    try:
        return function(value, picture, *more)
    except KeyError as error:
        raise Thrown("D3132", value=error.args[0]) from None
    except RuntimeError as error:
        text = str(error)
        if text.startswith("Formatting or parsing an integer as a sequence"):
            raise Thrown("D3130", value=(picture or "").rpartition(";")[0] or picture) from None
        if "modifier can only be applied to" in text:
            named = re.search(r"\[([^MFxP])[^\]]*[Nn]", picture or "")
            raise Thrown("D3133", value=named[1] if named else None) from None
        raise


def _millis(found: re.Match[str]) -> float:
    year, month, day, hour, minute, second = (
        int(found[place] or low) for place, low in enumerate((0, 1, 1, 0, 0, 0), 1)
    )
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return math.nan
    zone = (found[8] or "Z").replace(":", "")
    offset = 0 if zone == "Z" else int(zone[:3]) * 60 + int(zone[0] + zone[3:])
    fraction = int((found[7] or ".0")[1:4].ljust(3, "0"))
    return (int(moment.timestamp()) - offset * 60) * 1000 + fraction
