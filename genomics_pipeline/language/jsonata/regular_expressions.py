"""Regular expressions, written as JavaScript's, and the functions that take them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from genomics_pipeline.language.jsonata.library import Functions as Library
from genomics_pipeline.language.jsonata.library import Jsonata, RegexFlags, Utils
from genomics_pipeline.language.jsonata.limits import Uncoded
from genomics_pipeline.language.jsonata.messages import Thrown

_SIGN = re.compile(r"\\.|\(\?<(?![=!])|.", re.DOTALL)
_CLASSES = {r"\d": "0-9", r"\w": "A-Za-z0-9_", r"\D": "^0-9", r"\W": "^A-Za-z0-9_"}


def compiled(pattern: str, flags: RegexFlags) -> re.Pattern[str]:
    """Compile a literal of an expression, for the library's parser, in Python's writing.

    JavaScript's digits and word characters are ASCII, its ``$`` is the very end, and ``[`` needs no escape in a set.
    """
    found, inside = [], False
    for sign in _SIGN.findall(pattern):
        if sign in _CLASSES and not (inside and sign.isupper()):
            found.append(_CLASSES[sign] if inside else f"[{_CLASSES[sign]}]")
        elif sign == "(?<" and not inside:
            found.append("(?P<")
        elif sign == "$" and not inside and not flags.multiline:
            found.append(r"\Z")
        elif inside and sign in "[&|~":
            found.append("\\" + sign)
        else:
            inside = sign == "[" or (inside and sign != "]")
            found.append(sign)
    return re.compile("".join(found), (re.IGNORECASE * flags.case_insensitive) | (re.MULTILINE * flags.multiline))


class Matcher(Jsonata.JFunctionCallable):  # type: ignore[misc]
    """A regular expression as the function that it is: of a text, to its first match."""

    signature = None
    function_name = ""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def validate(self, args: list[Any], context: Any) -> list[Any]:
        """Anything may be asked of it."""
        return args

    def get_number_of_args(self) -> int:
        """Return 2: a text, and where to start."""
        return 2

    def call(self, focus: Any, args: list[Any]) -> Any:
        """Return the first match, and the function for the next one."""
        return _first(self._matches(args[0])) if args and isinstance(args[0], str) else None

    def _matches(self, text: str) -> Iterator[dict[str, Any]]:
        """One after the other; positions count UTF-16 units, as JavaScript's do."""
        match = self._pattern.search(text)
        while match:
            start, end = (_units(text, place) for place in match.span())
            yield {"match": match[0], "start": start, "end": end, "groups": list(match.groups())}
            if match.end() >= len(text):
                return
            match = self._pattern.search(text, match.end())
            if match and not match[0]:
                raise Thrown("D1004", value=self._pattern.pattern)


def _units(text: str, place: int) -> int:
    return place if text.isascii() else len(text[:place].encode("utf-16-le", "surrogatepass")) // 2


def _cut(text: str, start: int, end: int | None = None) -> str:
    if text.isascii():
        return text[start:end]
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * start : None if end is None else 2 * end].decode("utf-16-le", "surrogatepass")


def _first(matches: Iterator[dict[str, Any]]) -> Any:
    match = next(matches, None)
    return None if match is None else match | {"next": Jsonata.JLambda(lambda: _first(matches))}


def _each(matcher: Any, text: str, limit: float | None = None) -> Iterator[dict[str, Any]]:
    """Yield the matches of a regular expression, or of a function that answers as one does."""
    match, count = Library.func_apply(matcher, [text]), 0
    while match is not None and (limit is None or count < limit):
        if not isinstance(match, dict) or not {"start", "end", "groups", "next"} & set(match):
            raise Thrown("T1010")
        yield match
        match, count = Library.func_apply(match["next"], []), count + 1


def contains(text: str | None, sign: Any) -> bool | None:
    """Evaluate ``$contains``."""
    if text is None:
        return None
    return sign in text if isinstance(sign, str) else next(_each(sign, text), None) is not None


def match(text: str | None, matcher: Any, limit: float | None) -> Any:
    """Evaluate ``$match``."""
    if text is None:
        return None
    if limit is not None and limit < 0:
        raise Thrown("D3040", value=limit)
    found = ({"match": m["match"], "index": m["start"], "groups": m["groups"]} for m in _each(matcher, text, limit))
    return Utils.create_sequence_from_iter(found)


def split(text: str | None, separator: Any, limit: float | None) -> list[str] | None:
    """Evaluate ``$split``."""
    if text is None:
        return None
    if limit is not None and limit < 0:
        raise Thrown("D3020", value=limit)
    if isinstance(separator, str):
        parts = text.split(separator) if separator else list(text)
        return parts[: None if limit is None else int(limit)]
    parts, start = [], 0
    for found in _each(separator, text, limit):
        parts.append(_cut(text, start, found["start"]))
        start = found["end"]
    return parts if limit is not None and len(parts) >= limit else [*parts, _cut(text, start)]


def replace(text: str | None, pattern: Any, replacement: Any, limit: float | None) -> str | None:
    """Evaluate ``$replace``."""
    if text is None:
        return None
    if pattern == "":
        raise Uncoded("Second argument of replace function cannot be an empty string")
    if limit is not None and limit < 0:
        raise Uncoded("Fourth argument of replace function must evaluate to a positive number")
    if isinstance(pattern, str):
        if not isinstance(replacement, str):
            raise Thrown("D3012", value=replacement)
        return text.replace(pattern, replacement, -1 if limit is None else int(limit))
    made, start = [], 0
    for found in _each(pattern, text, limit):
        fixed = isinstance(replacement, str)
        new = _expanded(replacement, found) if fixed else Library.func_apply(replacement, [found])
        if not isinstance(new, str):
            raise Thrown("D3012", value=new)
        made += [_cut(text, start, found["start"]), new]
        start = found["end"]
    return "".join(made) + _cut(text, start)


def _expanded(replacement: str, found: dict[str, Any]) -> str:
    """Expand ``$1`` to a group, ``$0`` to the match, ``$$`` to a dollar; the digits are at most those of the groups."""
    groups = found["groups"]

    def one(match: re.Match[str]) -> str:
        digits = match[1]
        if digits == "$":
            return "$"
        if digits[0] == "0":
            return str(found["match"]) + digits[1:]
        number = digits[: len(str(len(groups)))]
        if len(number) > 1 and int(number) > len(groups):
            number = number[:-1]
        group = groups[int(number) - 1] if int(number) <= len(groups) else None
        return (group or "") + digits[len(number) :]

    return re.sub(r"\$(\$|[0-9]+)", one, replacement)
