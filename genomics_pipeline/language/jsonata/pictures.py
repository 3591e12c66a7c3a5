"""Formatting of numbers and times by picture strings: the library's, with its rounding, checks and errors corrected."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from genomics_pipeline.language.jsonata.library import DateTimeUtils
from genomics_pipeline.language.jsonata.library import Functions as Library
from genomics_pipeline.language.jsonata.messages import JsonataError
from genomics_pipeline.language.jsonata.regular_expressions import current_evaluation

_TIMESTAMP = re.compile(
    r"(\d{4})(?:-([01]\d)(?:-([0-3]\d))?)?(?:T([0-2]\d):([0-5]\d):([0-5]\d)(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?)?"
)
# Pictures of texts in which each component ends where the next sign says. Others become regular expressions that
# backtrack, in the library.
_SIMPLE_PICTURE = re.compile(r"(?:\[[^\[\]wWaAiIN]*\](?:[-/:., TZ]|\Z))*")
_SHORT_TEXT = 100
_ZONE = re.compile(r"[+-]\d{4}")


def format_number(value: Any, picture: str, options: dict[str, str] | None) -> str | None:
    """Evaluate ``$formatNumber``: rounds half to even, from the shortest decimal notation of the number."""
    return None if value is None else _format_number(value, picture, options or {})


def format_integer(value: Any, picture: str) -> str | None:
    """Evaluate ``$formatInteger``."""
    return None if value is None else str(_call_with_picture(DateTimeUtils.format_integer, math.floor(value), picture))


def parse_integer(text: str | None, picture: str) -> Any:
    """Evaluate ``$parseInteger``."""
    if text is not None and len(text) > _SHORT_TEXT:
        current_evaluation().require_no_meter()
    try:
        return None if text is None else _call_with_picture(DateTimeUtils.parse_integer, text, picture)
    except ValueError:
        return math.nan


def to_millis(text: str | None, picture: str | None) -> Any:
    """Evaluate ``$toMillis``."""
    if text is None:
        return None
    if picture is not None:
        if not _SIMPLE_PICTURE.fullmatch(picture) or len(text) > _SHORT_TEXT:
            current_evaluation().require_no_meter()
        return _call_with_picture(DateTimeUtils.parse_datetime, text, picture)
    match = _TIMESTAMP.fullmatch(text)
    if not match:
        raise JsonataError("D3110", value=text)
    return _millis(match)


def from_millis(millis: Any, picture: str | None, timezone: str | None) -> Any:
    """Evaluate ``$fromMillis``; on AWS, nothing for other values than numbers, and UTC for an unknown time zone."""
    if isinstance(millis, bool) or not isinstance(millis, int | float):
        return None
    zone = timezone if _ZONE.fullmatch(timezone or "") else None
    return _call_with_picture(DateTimeUtils.format_datetime, int(millis), picture, zone)


def round_half_even(value: Any, places: int) -> Decimal:
    """Round a number to a number of decimal places, half to even."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    try:
        return exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    except InvalidOperation:  # more digits than the precision of a Decimal
        return exact


def _format_number(value: Any, picture: str, options: dict[str, str]) -> str:
    def option(name: str, default: str) -> str:
        return options.get(name, default)

    zero, point = option("zero-digit", "0"), option("decimal-separator", ".")
    digits = "".join(chr(ord(zero) + value_of_digit) for value_of_digit in range(10)) + option("digit", "#")
    parts = picture.split(option("pattern-separator", ";"))
    for part in parts:
        _check_sub_picture(part, digits, option("grouping-separator", ","), point, option("exponent-separator", "e"))
    part = parts[-1] if value < 0 else parts[0]
    scale = 2 if option("percent", "%") in part else 3 if option("per-mille", "‰") in part else 0
    exact = Decimal(repr(value))
    if option("exponent-separator", "e") not in part.strip():
        fraction = part.partition(point)[2]
        exact = round_half_even(exact.scaleb(scale), sum(character in digits for character in fraction)).scaleb(-scale)
    text: str = Library.format_number(exact, picture, options)
    return text


def _check_sub_picture(sub_picture: str, digits: str, grouping: str, point: str, exponent: str) -> None:
    """Raise the errors of a sub-picture that the library misses or gives another code."""
    active = [index for index, character in enumerate(sub_picture) if character in digits + grouping + point]
    active_part = sub_picture[active[0] : active[-1] + 1] if active else ""
    if any(character not in digits + grouping + point + exponent for character in active_part) or not active_part:
        raise JsonataError("D3086")
    if grouping * 2 in sub_picture:
        raise JsonataError("D3089")
    whole_part = active_part.partition(exponent)[0].partition(point)[0]
    if re.search(f"[{re.escape(digits[:10])}].*{re.escape(digits[10])}", whole_part):
        raise JsonataError("D3090")
    if sub_picture[len(sub_picture[: active[-1] + 1]) :].startswith(exponent):
        raise JsonataError("D3093")


def _call_with_picture(function: Any, value: Any, picture: str | None, *more: Any) -> Any:
    """Call a function of the library, adding to its errors the part of the picture that they are about."""
    try:
        return function(value, picture, *more)
    except KeyError as error:
        raise JsonataError("D3132", value=error.args[0]) from None
    except RuntimeError as error:
        text = str(error)
        if text.startswith("Formatting or parsing an integer as a sequence"):
            raise JsonataError("D3130", value=(picture or "").rpartition(";")[0] or picture) from None
        if "modifier can only be applied to" in text:
            named = re.search(r"\[([^MFxP])[^\]]*[Nn]", picture or "")
            raise JsonataError("D3133", value=named[1] if named else None) from None
        raise


def _millis(match: re.Match[str]) -> float:
    year, month, day, hour, minute, second = (
        int(match[group] or least) for group, least in enumerate((0, 1, 1, 0, 0, 0), 1)
    )
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return math.nan
    zone = (match[8] or "Z").replace(":", "")
    offset = 0 if zone == "Z" else int(zone[:3]) * 60 + int(zone[0] + zone[3:])
    fraction = int((match[7] or ".0")[1:4].ljust(3, "0"))
    return (int(moment.timestamp()) - offset * 60) * 1000 + fraction
