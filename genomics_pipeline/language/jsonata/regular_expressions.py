"""Regular expressions in JavaScript's syntax, and the functions that take them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from re import _parser  # type: ignore[attr-defined]  # checks syntax in time linear in the pattern
from typing import Any

from genomics_pipeline.language.jsonata.library import Functions as Library
from genomics_pipeline.language.jsonata.library import Jsonata, RegexFlags, Utils
from genomics_pipeline.language.jsonata.limits import ErrorWithoutCode
from genomics_pipeline.language.jsonata.messages import JsonataError

_PIECE = re.compile(r"\\.|\(\?<(?![=!])|.", re.DOTALL)
_CHOICE = re.compile(r"[*+{|]|(?<!\()\?")
_REPEATED_GROUP = re.compile(r"\)[*+?{]")
_MOST_CHOICES = 8
_LONG = 1_000
_MOST_SETS = 4  # each may take ten milliseconds to compile, if it has a range of other than ASCII characters
_STEPS = 5_000_000  # of Python's matcher, which backtracks: a fraction of a second
_CLASSES = {r"\d": "0-9", r"\w": "A-Za-z0-9_", r"\D": "^0-9", r"\W": "^A-Za-z0-9_"}


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression literal whose syntax was checked; it is compiled where the costs of an evaluation count.

    Attributes:
        pattern: The regular expression in Python's syntax.
        flags: Python's flags.
    """

    pattern: str
    flags: re.RegexFlag

    def compile(self) -> re.Pattern[str]:
        """Return it compiled, the same one each time if there are not too many.

        Raises:
            TooCostly: if that may take long, and the evaluation may do only little work.
        """
        if self.pattern.count("[") > _MOST_SETS or len(self.pattern) > _LONG:
            current_evaluation().require_no_meter()
        return re.compile(self.pattern, self.flags)


def parse_regex(pattern: str, flags: RegexFlags) -> Regex:
    """Parse a regular expression literal, and translate it into Python's syntax.

    In JavaScript, digits and word characters are ASCII, ``$`` is the very end, and ``[`` needs no escape in a set.

    Raises:
        re.error: for a syntax error.
        OverflowError: for a repetition of more times than Python counts.
    """
    parts, in_set = [], False
    for piece in _PIECE.findall(pattern):
        if piece in _CLASSES and not (in_set and piece.isupper()):
            parts.append(_CLASSES[piece] if in_set else f"[{_CLASSES[piece]}]")
        elif piece == "(?<" and not in_set:
            parts.append("(?P<")
        elif piece == "$" and not in_set and not flags.multiline:
            parts.append(r"\Z")
        elif in_set and piece in "[&|~":
            parts.append("\\" + piece)
        else:
            in_set = piece == "[" or (in_set and piece != "]")
            parts.append(piece)
    regex = Regex("".join(parts), (re.IGNORECASE * flags.case_insensitive) | (re.MULTILINE * flags.multiline))
    _parser.parse(regex.pattern, regex.flags)
    return regex


class Matcher(Jsonata.JFunctionCallable):  # type: ignore[misc]
    """A regular expression as JSONata sees it: a function of a text that returns its first match."""

    signature = None
    function_name = ""

    def __init__(self, regex: Regex) -> None:
        self._pattern = regex.compile()

    def validate(self, args: list[Any], context: Any) -> list[Any]:
        """Return the arguments unchanged, whatever they are."""
        return args

    def get_number_of_args(self) -> int:
        """Return 2: a text, and the position to start at."""
        return 2

    def call(self, focus: Any, args: list[Any]) -> Any:
        """Return the first match, and the function for the next one."""
        return _first_match(self._matches(args[0])) if args and isinstance(args[0], str) else None

    def _may_backtrack(self, text: str) -> bool:
        """Return whether a search may take long, as Python's matcher tries all combinations of choices."""
        pattern = self._pattern.pattern
        if _REPEATED_GROUP.search(pattern):
            return True
        choices = len(_CHOICE.findall(pattern))
        return choices > _MOST_CHOICES or len(pattern) * (len(text) + 1) ** (choices + 1) > _STEPS

    def _matches(self, text: str) -> Iterator[dict[str, Any]]:
        """Yield the matches; positions count UTF-16 code units, as in JavaScript."""
        if self._may_backtrack(text):
            current_evaluation().require_no_meter()
        match = self._pattern.search(text)
        while match:
            start, end = (_utf16_offset(text, index) for index in match.span())
            yield {"match": match[0], "start": start, "end": end, "groups": list(match.groups())}
            if match.end() >= len(text):
                return
            match = self._pattern.search(text, match.end())
            if match and not match[0]:
                raise JsonataError("D1004", value=self._pattern.pattern)


def current_evaluation() -> Any:
    """Return this thread's evaluation, an `evaluator.Evaluator`, which the library keeps in `CURRENT`."""
    return Jsonata.CURRENT.jsonata


def _utf16_offset(text: str, index: int) -> int:
    return index if text.isascii() else len(text[:index].encode("utf-16-le", "surrogatepass")) // 2


def _slice_utf16(text: str, start: int, end: int | None = None) -> str:
    if text.isascii():
        return text[start:end]
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * start : None if end is None else 2 * end].decode("utf-16-le", "surrogatepass")


def _first_match(matches: Iterator[dict[str, Any]]) -> Any:
    match = next(matches, None)
    return None if match is None else match | {"next": Jsonata.JLambda(lambda: _first_match(matches))}


def _matches_of(matcher: Any, text: str, limit: float | None = None) -> Iterator[dict[str, Any]]:
    """Yield the matches of a regular expression, or of a function that behaves like one.

    Args:
        matcher: The function.
        text: Its argument.
        limit: The greatest number of matches; None for all.
    """
    match, count = Library.func_apply(matcher, [text]), 0
    while match is not None and (limit is None or count < limit):
        if not isinstance(match, dict) or not {"start", "end", "groups", "next"} & set(match):
            raise JsonataError("T1010")
        yield match
        match, count = Library.func_apply(match["next"], []), count + 1


def contains(text: str | None, sign: Any) -> bool | None:
    """Evaluate ``$contains``."""
    if text is None:
        return None
    return sign in text if isinstance(sign, str) else next(_matches_of(sign, text), None) is not None


def match(text: str | None, matcher: Any, limit: float | None) -> Any:
    """Evaluate ``$match``."""
    if text is None:
        return None
    if limit is not None and limit < 0:
        raise JsonataError("D3040", value=limit)
    matches = (
        {"match": each["match"], "index": each["start"], "groups": each["groups"]}
        for each in _matches_of(matcher, text, limit)
    )
    return Utils.create_sequence_from_iter(matches)


def split(text: str | None, separator: Any, limit: float | None) -> list[str] | None:
    """Evaluate ``$split``."""
    if text is None:
        return None
    if limit is not None and limit < 0:
        raise JsonataError("D3020", value=limit)
    if isinstance(separator, str):
        parts = text.split(separator) if separator else list(text)
        return parts[: None if limit is None else int(limit)]
    parts, start = [], 0
    for match in _matches_of(separator, text, limit):
        parts.append(_slice_utf16(text, start, match["start"]))
        start = match["end"]
    return parts if limit is not None and len(parts) >= limit else [*parts, _slice_utf16(text, start)]


def replace(text: str | None, pattern: Any, replacement: Any, limit: float | None) -> str | None:
    """Evaluate ``$replace``."""
    if text is None:
        return None
    if pattern == "":
        raise ErrorWithoutCode("Second argument of replace function cannot be an empty string")
    if limit is not None and limit < 0:
        raise ErrorWithoutCode("Fourth argument of replace function must evaluate to a positive number")
    if isinstance(pattern, str):
        if not isinstance(replacement, str):
            raise JsonataError("D3012", value=replacement)
        return text.replace(pattern, replacement, -1 if limit is None else int(limit))
    parts, start = [], 0
    for match in _matches_of(pattern, text, limit):
        is_text = isinstance(replacement, str)
        inserted = _expand(replacement, match) if is_text else Library.func_apply(replacement, [match])
        if not isinstance(inserted, str):
            raise JsonataError("D3012", value=inserted)
        parts += [_slice_utf16(text, start, match["start"]), inserted]
        start = match["end"]
    return "".join(parts) + _slice_utf16(text, start)


def _expand(replacement: str, matched: dict[str, Any]) -> str:
    """Expand ``$1`` to a group, ``$0`` to the match, ``$$`` to a dollar; ``$12`` may be ``$1`` and a 2."""
    groups = matched["groups"]

    def expand_reference(match: re.Match[str]) -> str:
        digits = match[1]
        if digits == "$":
            return "$"
        if digits[0] == "0":
            return str(matched["match"]) + digits[1:]
        number = digits[: len(str(len(groups)))]
        if len(number) > 1 and int(number) > len(groups):
            number = number[:-1]
        group = groups[int(number) - 1] if int(number) <= len(groups) else None
        return (group or "") + digits[len(number) :]

    return re.sub(r"\$(\$|[0-9]+)", expand_reference, replacement)
