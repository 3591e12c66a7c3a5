"""The syntax of intrinsic functions: ``States.Format('{} of {}', $.part, States.ArrayLength($.parts))``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_NAME = re.compile(r"States\.[A-Za-z0-9]+")
_STRING = re.compile(r"'((?:[^'\\]|\\['\\{}])*)'", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_WORD = re.compile(r"true|false|null")
_WORDS = {"true": True, "false": False, "null": None}
_SPACE = re.compile(r"\s*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class IntrinsicSyntaxError(ValueError):
    """A syntax error in an intrinsic function, explained by its text."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, number, boolean or null; `escaped` is the source of a string, with its escapes."""

    value: Any
    escaped: str = ""


@dataclass(frozen=True, slots=True)
class PathArgument:
    """A path into the input, the context object or a variable."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an intrinsic function."""

    name: str
    arguments: tuple[Argument, ...]

    def calls(self) -> Iterator[Call]:
        """Yield this call and those in its arguments."""
        yield self
        for argument in self.arguments:
            if isinstance(argument, Call):
                yield from argument.calls()


Argument = Literal | PathArgument | Call


@lru_cache(maxsize=4096)
def parse(text: str) -> Call:
    r"""Parse a text as a call.

    >>> parse("States.Array(1, 'it\\'s', $.a[0])").arguments
    (Literal(value=1, escaped=''), Literal(value="it's", escaped="it\\'s"), PathArgument(text='$.a[0]'))

    Raises:
        IntrinsicSyntaxError: if the text is not a call.
    """
    parser = _CallParser(text)
    call = parser.call()
    parser.end()
    return call


class _CallParser:
    """A recursive-descent parser of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def call(self) -> Call:
        """Parse ``NAME ( ARGUMENT, … )`` from the current position."""
        name = self._take(_NAME)
        if name is None:
            raise self._error("expected the name of an intrinsic function")
        self._expect("(")
        arguments: list[Argument] = []
        if not self._skip(")"):
            arguments.append(self._argument())
            while self._skip(","):
                arguments.append(self._argument())
            self._expect(")")
        return Call(name[0], tuple(arguments))

    def end(self) -> None:
        """Require the end of the text.

        Raises:
            IntrinsicSyntaxError: if anything but spaces follows.
        """
        self._take(_SPACE)
        if self._position != len(self._text):
            raise self._error("unexpected text")

    def _argument(self) -> Argument:
        self._take(_SPACE)
        if self._text.startswith("States.", self._position):
            return self.call()
        if self._text.startswith("$", self._position):
            return PathArgument(self._path())
        if string := self._take(_STRING):
            return Literal(_ESCAPE.sub(r"\1", string[1]), string[1])
        if number := self._take(_NUMBER):
            return Literal(self._number(number))
        if word := self._take(_WORD):
            return Literal(_WORDS[word[0]])
        raise self._error("expected a path, a call, a number, true, false, null, or a string in single quotes")

    def _number(self, match: re.Match[str]) -> int | float:
        whole = not (match[1] or match[2])
        try:
            value = int(match[0]) if whole else float(match[0])
        except ValueError:  # more digits than Python converts
            value = math.inf
        if math.isinf(value):
            raise self._error("expected a smaller number")
        return value

    def _path(self) -> str:
        """Return the text up to the comma or parenthesis that ends the argument, outside brackets and quotes."""
        start, depth, quote = self._position, 0, ""
        while self._position < len(self._text):
            character = self._text[self._position]
            if quote:
                if character == "\\":
                    self._position += 1
                elif character == quote:
                    quote = ""
            elif character in "'\"":
                quote = character
            elif character in "[(":
                depth += 1
            elif character in "])" and depth:
                depth -= 1
            elif character in ",)" and not depth:
                break
            self._position += 1
        return self._text[start : self._position].rstrip()

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self._position)
        if match:
            self._position = match.end()
        return match

    def _skip(self, character: str) -> bool:
        self._take(_SPACE)
        if not self._text.startswith(character, self._position):
            return False
        self._position += 1
        return True

    def _expect(self, character: str) -> None:
        if not self._skip(character):
            raise self._error(f"expected '{character}'")

    def _error(self, problem: str) -> IntrinsicSyntaxError:
        return IntrinsicSyntaxError(f"{problem} at character {self._position + 1} of '{self._text}'")
