"""Replacements of the library's functions that differ from the reference implementation.

`tests/language/jsonata/test_agreement.py` compares all functions with the reference implementation.
"""

from __future__ import annotations

import base64
import math
import re
import urllib.parse
from typing import Any

from genomics_pipeline.language.host import Host
from genomics_pipeline.language.jsonata import operators, pictures, regular_expressions
from genomics_pipeline.language.jsonata.library import Functions as Library
from genomics_pipeline.language.jsonata.library import Utils
from genomics_pipeline.language.jsonata.limits import ErrorWithoutCode, too_large
from genomics_pipeline.language.jsonata.messages import JsonataError
from genomics_pipeline.language.jsonata.values import NULL, comparison_key, is_function
from genomics_pipeline.model import quotas

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_RADIX = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")
_UNESCAPED = "!'()*~-_."  # what encodeURIComponent does not escape
_UNESCAPED_IN_URLS = _UNESCAPED + ";/?:@&=+$,#"


class Corrections:
    """The functions, by the names in `SIGNATURES`; their arguments are already checked against the signatures."""

    match = staticmethod(regular_expressions.match)
    contains = staticmethod(regular_expressions.contains)
    replace = staticmethod(regular_expressions.replace)
    split = staticmethod(regular_expressions.split)
    format_number = staticmethod(pictures.format_number)
    format_integer = staticmethod(pictures.format_integer)
    parse_integer = staticmethod(pictures.parse_integer)
    to_millis = staticmethod(pictures.to_millis)
    from_millis = staticmethod(pictures.from_millis)

    @staticmethod
    def string(value: Any, prettify: bool | None = None) -> str | None:
        """Evaluate ``$string``."""
        return None if value is None else operators.string(value, bool(prettify))

    @staticmethod
    def substring(text: str | None, start: float | None, length: float | None) -> str | None:
        """Evaluate ``$substring``; the sum of start and length is truncated to an integer."""
        if text is None or start is None:
            return text if length is None else text and ""
        if len(text) + start < 0:
            start = 0
        if length is None:
            return text[int(start) :]
        if length <= 0:
            return ""
        end = (start if start >= 0 else len(text) + start) + length
        return text[int(start) : int(end)]

    @staticmethod
    def pad(text: str | None, width: float | None, char: str | None) -> str | None:
        """Evaluate ``$pad``."""
        if text is None or width is None:
            return text
        if abs(int(width)) - len(text) > quotas.JSONATA_PADDING.value:
            raise too_large()
        return str(Library.pad(text, int(width), char))

    @staticmethod
    def join(texts: list[str] | None, separator: str | None) -> str | None:
        """Evaluate ``$join``."""
        joined = None if texts is None else (separator or "").join(texts)
        if joined is not None and len(joined) > quotas.JSONATA_TEXT.value:
            raise too_large()
        return joined

    @staticmethod
    def base64decode(text: str | None) -> str | None:
        """Evaluate ``$base64decode`` of UTF-8 text; the padding may be missing."""
        if text is None:
            return None
        illegal = re.search(r"[^A-Za-z0-9+/=]", text)
        if illegal:
            raise ErrorWithoutCode(f"Illegal base64 character {ord(illegal[0]):x}")
        return base64.b64decode(text + "===").decode(errors="replace")

    @staticmethod
    def encode_url_component(text: str | None) -> str | None:
        """Evaluate ``$encodeUrlComponent``."""
        return _encode(text, _UNESCAPED, "encodeUrlComponent")

    @staticmethod
    def encode_url(text: str | None) -> str | None:
        """Evaluate ``$encodeUrl``."""
        return _encode(text, _UNESCAPED_IN_URLS, "encodeUrl")

    @staticmethod
    def decode_url_component(text: str | None) -> str | None:
        """Evaluate ``$decodeUrlComponent``; on AWS a plus is a space, and invalid UTF-8 is replaced."""
        return None if text is None else urllib.parse.unquote_plus(_check_escapes(text, "decodeUrlComponent"))

    @staticmethod
    def decode_url(text: str | None) -> str | None:
        """Evaluate ``$decodeUrl``; characters with a meaning in a URL stay encoded."""
        if text is None:
            return None
        reserved = "|".join(f"{ord(sign):02X}" for sign in ";/?:@&=+$,#")
        try:
            return urllib.parse.unquote(
                re.sub(f"%(?=(?i:{reserved}))", "%25", _check_escapes(text, "decodeUrl")), errors="strict"
            )
        except UnicodeDecodeError:
            raise JsonataError("D3140", functionName="decodeUrl", value=text) from None

    @staticmethod
    def number(value: Any) -> Any:
        """Evaluate ``$number``."""
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, str):
            if _NUMBER.fullmatch(value) and math.isfinite(float(value)):
                return operators.integer_if_whole(float(value))
            if _RADIX.fullmatch(value):
                return int(value, 0)
        raise JsonataError("D3030", value=value)

    @staticmethod
    def round(value: Any, precision: float | None) -> Any:
        """Evaluate ``$round``: half to even, of the shortest decimal notation of the number."""
        return (
            None
            if value is None
            else operators.integer_if_whole(float(pictures.round_half_even(value, int(precision or 0))))
        )

    @staticmethod
    def format_base(value: Any, radix: Any) -> str | None:
        """Evaluate ``$formatBase``; number and base are rounded."""
        if value is None:
            return None
        base = int(pictures.round_half_even(10 if radix is None else radix, 0))
        if not 2 <= base <= 36:
            raise JsonataError("D3100", value=base)
        return str(Library.base_repr(int(pictures.round_half_even(value, 0)), base)).lower()

    @staticmethod
    def power(base: Any, exponent: Any) -> Any:
        """Evaluate ``$power``."""
        if base is None:
            return None
        try:
            result = math.pow(base, exponent)
        except (OverflowError, ValueError):
            result = math.inf
        if not math.isfinite(result):
            raise JsonataError("D3061", value=base, exp=exponent)
        return result

    @staticmethod
    def sum(values: list[Any] | None) -> Any:
        """Evaluate ``$sum`` from left to right, as the reference implementation does."""
        if values is None:
            return None
        total = 0.0
        for value in values:
            total += value
        return total

    @staticmethod
    def count(values: list[Any] | None) -> int:
        """Evaluate ``$count``."""
        return 0 if values is None else len(values)

    @staticmethod
    def sort(items: list[Any] | None, after: Any) -> Any:
        """Evaluate ``$sort``."""
        if items is None or len(items) <= 1:
            return items
        if after is None:
            if not Utils.is_array_of_numbers(items) and not Utils.is_array_of_strings(items):
                raise JsonataError("D3070")
            return sorted(items)
        return operators.sort(items, lambda a, b: _is_truthy_in_javascript(Library.func_apply(after, [a, b])))

    @staticmethod
    def distinct(items: Any) -> Any:
        """Evaluate ``$distinct``; an array of one member stays an array."""
        if not isinstance(items, list) or len(items) <= 1:
            return items
        unique = Utils.create_sequence() if Utils.is_sequence(items) else []
        seen = set()
        for item in items:
            key = comparison_key(item)
            if key not in seen:
                seen.add(key)
                unique.append(item)
        return unique

    @staticmethod
    def shuffle(items: list[Any] | None) -> list[Any] | None:
        """Evaluate ``$shuffle`` by the Fisher-Yates algorithm, with the host's random numbers."""
        if items is None or len(items) <= 1:
            return items
        shuffled: list[Any] = []
        for count, item in enumerate(items, 1):
            index = int(evaluation_host().random() * count)
            shuffled.append(item)
            shuffled[index], shuffled[-1] = item, shuffled[index]
        return shuffled

    @staticmethod
    def type(value: Any) -> str | None:
        """Evaluate ``$type``."""
        return "function" if is_function(value) else Library.type(value)


def evaluation_host() -> Host:
    """Return the host of this thread's evaluation."""
    host: Host = regular_expressions.current_evaluation().host
    return host


def _encode(text: str | None, unescaped: str, name: str) -> str | None:
    try:
        return None if text is None else urllib.parse.quote(text, safe=unescaped)
    except UnicodeEncodeError:
        raise JsonataError("D3140", functionName=name, value=text) from None


def _check_escapes(text: str, name: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise JsonataError("D3140", functionName=name, value=text)
    return text


def _is_truthy_in_javascript(value: Any) -> bool:
    """Return whether JavaScript treats a value as true; an empty list is true."""
    if value is None or value is NULL or (isinstance(value, float) and math.isnan(value)):
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
    "formatBase": ("<n-n?:s>", "format_base"),
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
    "shuffle": ("<a:a>", "shuffle"),
    "type": ("<x:s>", "type"),
}
