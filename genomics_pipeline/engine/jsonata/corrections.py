"""The language's own functions where the library's departs from the reference implementation.

`tests/engine/jsonata/test_agreement.py` compares all of them with it.
"""

from __future__ import annotations

import base64
import math
import re
import urllib.parse
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from jsonata.datetimeutils import DateTimeUtils
from jsonata.functions import Functions as Library
from jsonata.utils import Utils

from genomics_pipeline.engine.jsonata import evaluator, regular_expressions
from genomics_pipeline.engine.jsonata.messages import Thrown, Uncoded, too_large
from genomics_pipeline.engine.jsonata.values import NULL, equal, is_function

MAX_PADDING = 262_144  # characters that $pad may add (radkawar/stackd, expression_limits.json)

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_RADIX = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")
_TIMESTAMP = re.compile(
    r"(\d{4})(?:-([01]\d)(?:-([0-3]\d))?)?(?:T([0-2]\d):([0-5]\d):([0-5]\d)(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?)?"
)
_ZONE = re.compile(r"[+-]\d{4}")
_KEPT = "!'()*~-_."  # what encodeURIComponent leaves as it is
_KEPT_OF_URL = _KEPT + ";/?:@&=+$,#"


class Corrections:
    """By the names that `SIGNATURES` gives; the arguments are checked against the signatures before."""

    match = staticmethod(regular_expressions.match)
    contains = staticmethod(regular_expressions.contains)
    replace = staticmethod(regular_expressions.replace)
    split = staticmethod(regular_expressions.split)

    @staticmethod
    def string(value: Any, prettify: bool | None = None) -> str | None:
        """``$string``."""
        return None if value is None else evaluator.string(value, bool(prettify))

    @staticmethod
    def substring(text: str | None, start: float, length: float | None) -> str | None:
        """``$substring``: the end is the start and the length together, and only then cut to a whole number."""
        if text is None:
            return None
        if len(text) + start < 0:
            start = 0
        if length is None:
            return text[int(start) :]
        if length <= 0:
            return ""
        end = (start if start >= 0 else len(text) + start) + length
        return text[int(start) : int(end)]

    @staticmethod
    def pad(text: str | None, width: float, char: str | None) -> str | None:
        """``$pad``."""
        if text is not None and abs(int(width)) - len(text) > MAX_PADDING:
            raise too_large()
        return None if text is None else str(Library.pad(text, int(width), char))

    @staticmethod
    def join(texts: list[str] | None, separator: str | None) -> str | None:
        """``$join``."""
        found = None if texts is None else (separator or "").join(texts)
        if found is not None and len(found) > evaluator.MAX_TEXT:
            raise too_large()
        return found

    @staticmethod
    def base64decode(text: str | None) -> str | None:
        """``$base64decode``: of UTF-8; the padding may be missing."""
        if text is None:
            return None
        strange = re.search(r"[^A-Za-z0-9+/=]", text)
        if strange:
            raise Uncoded(f"Illegal base64 character {ord(strange[0]):x}")
        return base64.b64decode(text + "===").decode(errors="replace")

    @staticmethod
    def encode_url_component(text: str | None) -> str | None:
        """``$encodeUrlComponent``."""
        return _encoded(text, _KEPT, "encodeUrlComponent")

    @staticmethod
    def encode_url(text: str | None) -> str | None:
        """``$encodeUrl``."""
        return _encoded(text, _KEPT_OF_URL, "encodeUrl")

    @staticmethod
    def decode_url_component(text: str | None) -> str | None:
        """``$decodeUrlComponent``: on AWS a plus is a space, and what is no UTF-8 is replaced."""
        return None if text is None else urllib.parse.unquote_plus(_escaped(text, "decodeUrlComponent"))

    @staticmethod
    def decode_url(text: str | None) -> str | None:
        """``$decodeUrl``: what means something in a URL stays encoded."""
        if text is None:
            return None
        kept = "|".join(f"{ord(sign):02X}" for sign in ";/?:@&=+$,#")
        try:
            return urllib.parse.unquote(re.sub(f"%(?=(?i:{kept}))", "%25", _escaped(text, "decodeUrl")), errors="strict")
        except UnicodeDecodeError:
            raise Thrown("D3140", functionName="decodeUrl", value=text) from None

    @staticmethod
    def number(value: Any) -> Any:
        """``$number``."""
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, str):
            if _NUMBER.fullmatch(value) and math.isfinite(float(value)):
                return evaluator.whole(float(value))
            if _RADIX.fullmatch(value):
                return int(value, 0)
        raise Thrown("D3030", value=value)

    @staticmethod
    def round(value: Any, precision: float | None) -> Any:
        """``$round``: half to even, of the decimal digits that the number is written with."""
        return None if value is None else evaluator.whole(float(rounded(value, int(precision or 0))))

    @staticmethod
    def power(base: Any, exponent: Any) -> Any:
        """``$power``."""
        if base is None:
            return None
        try:
            found = math.pow(base, exponent)
        except (OverflowError, ValueError):
            found = math.inf
        if not math.isfinite(found):
            raise Thrown("D3061", value=base, exp=exponent)
        return found

    @staticmethod
    def format_number(value: Any, picture: str, options: dict[str, str] | None) -> str | None:
        """``$formatNumber``."""
        return None if value is None else _formatted(value, picture, options or {})

    @staticmethod
    def format_integer(value: Any, picture: str) -> str | None:
        """``$formatInteger``."""
        return None if value is None else str(_picture(DateTimeUtils.format_integer, math.floor(value), picture))

    @staticmethod
    def parse_integer(text: str | None, picture: str) -> Any:
        """``$parseInteger``."""
        try:
            return None if text is None else _picture(DateTimeUtils.parse_integer, text, picture)
        except ValueError:
            return math.nan

    @staticmethod
    def to_millis(text: str | None, picture: str | None) -> Any:
        """``$toMillis``."""
        if text is None:
            return None
        if picture is not None:
            return _picture(DateTimeUtils.parse_datetime, text, picture)
        found = _TIMESTAMP.fullmatch(text)
        if not found:
            raise Thrown("D3110", value=text)
        return _millis(found)

    @staticmethod
    def from_millis(millis: Any, picture: str | None, timezone: str | None) -> Any:
        """``$fromMillis``: on AWS, of what is no number nothing, and a strange time zone is UTC."""
        if isinstance(millis, bool) or not isinstance(millis, int | float):
            return None
        zone = timezone if _ZONE.fullmatch(timezone or "") else None
        return _picture(DateTimeUtils.format_datetime, int(millis), picture, zone)

    @staticmethod
    def sum(values: list[Any] | None) -> Any:
        """``$sum``: one after the other, as the reference adds."""
        if values is None:
            return None
        found = 0.0
        for value in values:
            found += value
        return found

    @staticmethod
    def count(values: list[Any] | None) -> int:
        """``$count``."""
        return 0 if values is None else len(values)

    @staticmethod
    def sort(items: list[Any] | None, after: Any) -> Any:
        """``$sort``."""
        if items is None or len(items) <= 1:
            return items
        if after is None:
            if not Utils.is_array_of_numbers(items) and not Utils.is_array_of_strings(items):
                raise Thrown("D3070")
            return sorted(items)
        return evaluator.sort(items, lambda a, b: _is_true(Library.func_apply(after, [a, b])))

    @staticmethod
    def distinct(items: Any) -> Any:
        """``$distinct``: an array stays one."""
        if not isinstance(items, list) or len(items) <= 1:
            return items
        found = Utils.create_sequence() if Utils.is_sequence(items) else []
        for item in items:
            if not any(equal(item, seen) for seen in found):
                found.append(item)
        return found

    @staticmethod
    def type(value: Any) -> str | None:
        """``$type``."""
        return "function" if is_function(value) else Library.type(value)


def _encoded(text: str | None, kept: str, name: str) -> str | None:
    try:
        return None if text is None else urllib.parse.quote(text, safe=kept)
    except UnicodeEncodeError:
        raise Thrown("D3140", functionName=name, value=text) from None


def _escaped(text: str, name: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise Thrown("D3140", functionName=name, value=text)
    return text


def rounded(value: Any, places: int) -> Decimal:
    """A number to so many places, half to even."""
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
    """What the library lets pass, or gives another code."""
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
    """The library raises the sentence of an error alone, and not the part of the picture that it names."""
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
    year, month, day, hour, minute, second = (int(found[place] or low) for place, low in enumerate((0, 1, 1, 0, 0, 0), 1))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return math.nan
    zone = (found[8] or "Z").replace(":", "")
    offset = 0 if zone == "Z" else int(zone[:3]) * 60 + int(zone[0] + zone[3:])
    fraction = int((found[7] or ".0")[1:4].ljust(3, "0"))
    return (int(moment.timestamp()) - offset * 60) * 1000 + fraction


def _is_true(value: Any) -> bool:
    """As JavaScript asks: an empty list is true."""
    if value is None or value is NULL or isinstance(value, float) and math.isnan(value):
        return False
    return bool(value) if isinstance(value, bool | int | float | str) else True


SIGNATURES = {
    "match": ("<s-f<s:o>n?:a<o>>", "match"),
    "contains": ("<s-(sf):b>", "contains"),
    "replace": ("<s-(sf)(sf)n?:s>", "replace"),
    "split": ("<s-(sf)n?:a<s>>", "split"),
    "string": ("<x-b?:s>", "string"),
    "substring": ("<s-nn?:s>", "substring"),
    "pad": ("<s-ns?:s>", "pad"),
    "join": ("<a<s>s?:s>", "join"),
    "base64decode": ("<s-:s>", "base64decode"),
    "encodeUrlComponent": ("<s-:s>", "encode_url_component"),
    "encodeUrl": ("<s-:s>", "encode_url"),
    "decodeUrlComponent": ("<s-:s>", "decode_url_component"),
    "decodeUrl": ("<s-:s>", "decode_url"),
    "number": ("<(nsb)-:n>", "number"),
    "round": ("<n-n?:n>", "round"),
    "power": ("<n-n:n>", "power"),
    "formatNumber": ("<n-so?:s>", "format_number"),
    "formatInteger": ("<n-s:s>", "format_integer"),
    "parseInteger": ("<s-s:n>", "parse_integer"),
    "toMillis": ("<s-s?:n>", "to_millis"),
    "fromMillis": ("<x-s?s?:s>", "from_millis"),
    "sum": ("<a<n>:n>", "sum"),
    "count": ("<a:n>", "count"),
    "sort": ("<af?:a>", "sort"),
    "distinct": ("<x:x>", "distinct"),
    "type": ("<x:s>", "type"),
}
