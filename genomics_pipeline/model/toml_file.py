"""TOML files that are checked by a JSON Schema; each problem has its line and key."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from importlib import resources
from itertools import islice
from typing import TYPE_CHECKING, Any

from genomics_pipeline.model import budgets
from genomics_pipeline.model.bounded_json import refuse_deep
from genomics_pipeline.model.errors import DataError, Problem, did_you_mean

if TYPE_CHECKING:
    from jsonschema import ValidationError

Path = Sequence[str | int]

TOML_WORDS = {"object": "a table", "array": "an array", "boolean": "true or false", "integer": "an integer"}
_GREATEST = (1 << 63) - 1
# From the beginning of a part, and without going back: in linear time.
_LONG_KEY = re.compile(rf"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){{{budgets.TOML_DEPTH.value}}}")
COUNTED = {"minItems": "item", "minProperties": "key", "minLength": "character"}


class TomlFile:
    """A parsed TOML file with the line of each key.

    Args:
        text: The file's text.
        file: Its name, for messages.
        schema: The name of a schema in `genomics_pipeline/schemas`.

    Raises:
        DataError: for text that is not TOML or does not fit the schema, with all problems in source order.
    """

    def __init__(self, text: str, *, file: str, schema: str) -> None:
        self.file = file
        self._lines = text.splitlines()
        self.data = _parse(text, file)
        explained = (one for error in _validator(schema).iter_errors(self.data) for one in _explain(error))
        self.refuse([self.problem(*one) for one in islice(explained, budgets.TOML_ERRORS.value)])

    def problem(self, path: Path, message: str) -> Problem:
        """Return a problem at the key of a path such as ``("inputs", "reads", "type")``."""
        return Problem(message, self.file, self._line(path), ".".join(map(str, path)) or None)

    def refuse(self, problems: Sequence[Problem]) -> None:
        """Raise all problems, in source order, if there are any.

        Raises:
            DataError: if there are any.
        """
        if problems:
            each = dict.fromkeys(problems)  # a step of two stages is checked twice
            raise DataError(
                sorted(each, key=lambda problem: (problem.file != self.file, problem.file or "", problem.line or 0))
            )

    def _line(self, path: Path) -> int | None:
        """Return the 1-based line of a key, or of the nearest table if the key is missing."""
        for length in range(len(path), 0, -1):
            if line := self._line_by_key.get(tuple(path[:length])):
                return line
        return 1 if self._lines else None

    @cached_property
    def _line_by_key(self) -> dict[tuple[str | int, ...], int]:
        """The first line of each table header and key."""
        lines: dict[tuple[str | int, ...], int] = {}
        for number, key in _keys(self._lines):
            lines.setdefault(key, number)
        return lines


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


def _keys(lines: Sequence[str]) -> Iterator[tuple[int, tuple[str | int, ...]]]:
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


@cache
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Any, rule: str, value: Any, __: Any) -> Iterator[ValidationError]:
        """Check a pattern whose `$` is the end of the text only; Python's also matches before a last newline."""
        if isinstance(value, str) and not re.fullmatch(rule, value):
            yield ValidationError(f"{value!r} does not match {rule!r}")

    text = resources.files("genomics_pipeline.schemas").joinpath(f"{schema}.schema.json").read_text("utf-8")
    return extend(Draft202012Validator, {"pattern": pattern})(json.loads(text))  # type: ignore[no-untyped-call]


def _explain(error: ValidationError) -> Iterator[tuple[Path, str]]:
    path = list(error.absolute_path)
    value: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "additionalProperties":
            known = list(schema["properties"])
            for name in value:
                if name not in known:
                    yield [*path, name], f"unknown key {name!r}; {did_you_mean(name, known)}"
        case "required":
            for name in rule:
                if name not in value and f"'{name}'" in error.message:
                    yield path, f"expected the key {name!r}, found none"
        case "type":
            kinds = [rule] if isinstance(rule, str) else rule
            expected = " or ".join(TOML_WORDS.get(kind, f"a {kind}") for kind in kinds)
            yield path, f"expected {expected}, found {value!r}"
        case "enum":
            yield path, f"expected one of {', '.join(map(str, rule))}, found {value!r}"
        case "pattern":
            yield path, f"expected {schema.get('description', rule)}, found {value!r}"
        case "minimum" | "maximum" | "exclusiveMinimum":
            sign = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">"}[error.validator]
            yield path, f"expected a number {sign} {rule}, found {value!r}"
        case "minItems" | "minProperties" | "minLength":
            what = COUNTED[error.validator] + "s" * (rule != 1)
            yield path, f"expected at least {rule} {what}, found {len(value) or 'none'}"
        case _:
            yield path, error.message
