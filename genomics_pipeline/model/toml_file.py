"""TOML files that are checked by a JSON Schema."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from genomics_pipeline.model import budgets
from genomics_pipeline.model.bounded_json import refuse_deep
from genomics_pipeline.model.declared_file import DeclaredFile, Keys
from genomics_pipeline.model.errors import DataError, Problem

TOML_WORDS = {"object": "a table", "array": "an array", "boolean": "true or false", "integer": "an integer"}
_GREATEST = (1 << 63) - 1
# From the beginning of a part, and without going back: in linear time.
_LONG_KEY = re.compile(rf"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){{{budgets.TOML_DEPTH.value}}}")


class TomlFile(DeclaredFile):
    """A parsed TOML file with the line of each key.

    Args:
        text: The file's text.
        file: Its name, for messages.
        schema: The name of a schema in `genomics_pipeline/schemas`; None for content that is known to fit.

    Raises:
        DataError: for text that is not TOML or does not fit the schema, with all problems in source order.
    """

    def __init__(self, text: str, *, file: str, schema: str | None) -> None:
        lines = text.splitlines()
        super().__init__(_parse(text, file), lambda: _keys(lines), file=file, schema=schema, words=TOML_WORDS)


def _parse(text: str, file: str) -> dict[str, Any]:
    """Parse TOML within its budgets.

    Raises:
        DataError: for text that is not TOML, or beyond a budget.
    """
    if len(text.encode("utf-8", "surrogatepass")) > budgets.TOML_SIZE.value:
        raise DataError(Problem(f"expected a TOML file of at most {budgets.TOML_SIZE}, found a larger one", file))
    if match := _LONG_KEY.search(text):  # the parser's time grows with the square of the parts
        line = text.count("\n", 0, match.start()) + 1
        raise DataError(Problem(f"expected a key of at most {budgets.TOML_DEPTH.value} parts, found more", file, line))
    try:
        data = tomllib.loads(text)
        refuse_deep(data, budgets.TOML_DEPTH.value)
        _refuse_extremes(data)
    except tomllib.TOMLDecodeError as error:
        raise DataError(_syntax_problem(str(error), file)) from None
    except RecursionError:
        message = f"expected TOML, found more than {budgets.TOML_DEPTH.value} nested arrays and objects"
        raise DataError(Problem(message, file)) from None
    except ValueError as error:  # Python limits the digits of numbers
        found = "a number of too many digits" if "digits" in str(error) else error
        raise DataError(Problem(f"expected TOML, found {found}", file)) from None
    return data


def _refuse_extremes(value: Any) -> None:
    """Refuse integers beyond 64 bits, which TOML does not guarantee, and very long arrays.

    Raises:
        ValueError: for one of them.
    """
    if isinstance(value, list) and len(value) > budgets.TOML_ITEMS.value:
        raise ValueError(f"an array of {len(value):,} items, of which {budgets.TOML_ITEMS.value:,} are allowed")
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            _refuse_extremes(member)
    elif isinstance(value, int) and not -_GREATEST <= value <= _GREATEST:
        raise ValueError("an integer beyond 64 bits")


def _keys(lines: Sequence[str]) -> Keys:
    """Yield the 1-based line and full path of each table header and key."""
    table: tuple[str | int, ...] = ()
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if header := re.match(r"\s*\[\[\s*([\w.\"-]+)\s*\]\]", line):
            name = header[1]
            seen[name] = seen.get(name, -1) + 1
            table = (*_split_key(name), seen[name])
            yield number, table
        elif header := re.match(r"\s*\[\s*([\w.\"-]+)\s*\]", line):
            first, *rest = _split_key(header[1])
            table = (first, seen[first], *rest) if first in seen else (first, *rest)  # [stages.inputs] of the last
            yield number, table
        elif key := re.match(r"\s*([\w.\"-]+)\s*=", line):
            yield number, (*table, *_split_key(key[1]))


def _split_key(name: str) -> tuple[str, ...]:
    return tuple(part.strip('"') for part in name.split("."))


def _syntax_problem(message: str, file: str) -> Problem:
    position = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if position is None:
        return Problem(f"expected TOML: {message}", file)
    return Problem(f"expected TOML: {message[: position.start()]}", file, int(position[1]), int(position[2]))
