"""Files that are checked by a JSON Schema; each problem has its line and key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib import resources
from itertools import islice
from typing import Any

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, Problem, did_you_mean
from genomics_pipeline.model.json_schema import KEYWORDS, Validator, Violation, kinds_of

Path = Sequence[str | int]
Keys = Iterator[tuple[int, tuple[str | int, ...]]]

COUNTED = {"maxItems": "item", "minItems": "item", "minProperties": "key", "minLength": "character"}


class DeclaredFile:
    """A parsed file with the line of each key.

    Args:
        data: The parsed content.
        keys: Yields the 1-based line and full path of each key.
        file: The file's name, for messages.
        schema: The name of a schema in `genomics_pipeline/schemas`.
        words: The format's own words for types.

    Raises:
        DataError: for content that does not fit the schema, with all problems in source order.
    """

    def __init__(
        self, data: Any, keys: Callable[[], Keys], *, file: str, schema: str, words: Mapping[str, str]
    ) -> None:
        self.file, self.data, self._keys = file, data, keys
        explained = (one for violation in _validator(schema).violations(data) for one in _explain(violation, words))
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
        """Return the 1-based line of a key, or of the nearest table if the key is missing; None without any key."""
        for length in range(len(path), 0, -1):
            if line := self._line_by_key.get(tuple(path[:length])):
                return line
        return 1 if self._line_by_key else None

    @cached_property
    def _line_by_key(self) -> dict[tuple[str | int, ...], int]:
        """The first line of each key."""
        lines: dict[tuple[str | int, ...], int] = {}
        for number, key in self._keys():
            lines.setdefault(key, number)
        return lines


@cache
def _validator(schema: str) -> Validator[Violation]:
    text = resources.files("genomics_pipeline.schemas").joinpath(f"{schema}.schema.json").read_text("utf-8")
    return Validator(json.loads(text), KEYWORDS)


def _explain(violation: Violation, words: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    keyword, rule, value, schema, path = violation
    match keyword:
        case "additionalProperties":
            known = list(schema.get("properties", ()))
            for name in rule:
                yield (*path, name), f"unknown key {name!r}; {did_you_mean(name, known)}"
        case "required":
            for name in rule:
                yield path, f"expected the key {name!r}, found none"
        case "type":
            kinds = kinds_of(rule)
            expected = " or ".join(words.get(kind, f"a {kind}") for kind in kinds if kind != "null" or kind in words)
            yield path, f"expected {expected}, found {value!r}"
        case "enum":
            yield path, f"expected one of {', '.join(map(str, rule))}, found {value!r}"
        case "pattern":
            yield path, f"expected {schema.get('description', rule)}, found {value!r}"
        case "minimum" | "maximum" | "exclusiveMinimum":
            sign = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">"}[keyword]
            yield path, f"expected a number {sign} {rule}, found {value!r}"
        case "uniqueItems":
            yield path, f"expected items that differ, found {value!r}"
        case _:
            most = "at most" if keyword == "maxItems" else "at least"
            what = COUNTED[keyword] + "s" * (rule != 1)
            yield path, f"expected {most} {rule} {what}, found {len(value) or 'none'}"
