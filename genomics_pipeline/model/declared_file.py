"""Files that are checked by a JSON Schema; each problem has its line and key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib import resources
from itertools import islice
from typing import TYPE_CHECKING, Any

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, Problem, did_you_mean

if TYPE_CHECKING:
    from jsonschema import ValidationError

Path = Sequence[str | int]
Keys = Iterator[tuple[int, tuple[str | int, ...]]]

COUNTED = {"maxItems": "item", "minItems": "item", "minProperties": "key", "minLength": "character"}


class DeclaredFile:
    """A parsed file with the line of each key.

    Args:
        data: The parsed content.
        keys: Yields the 1-based line and full path of each key.
        file: The file's name, for messages.
        schema: The name of a schema in `genomics_pipeline/schemas`; None for content that is known to fit.
        words: The format's own words for types.

    Raises:
        DataError: for content that does not fit the schema, with all problems in source order.
    """

    def __init__(
        self, data: Any, keys: Callable[[], Keys], *, file: str, schema: str | None, words: Mapping[str, str]
    ) -> None:
        self.file, self.data, self._keys = file, data, keys
        if schema is None:
            return
        explained = (one for error in _validator(schema).iter_errors(data) for one in _explain(error, words))
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
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Any, rule: str, value: Any, __: Any) -> Iterator[ValidationError]:
        """Check a pattern whose `$` is the end of the text only; Python's also matches before a last newline."""
        if isinstance(value, str) and not re.fullmatch(rule, value):
            yield ValidationError(f"{value!r} does not match {rule!r}")

    text = resources.files("genomics_pipeline.schemas").joinpath(f"{schema}.schema.json").read_text("utf-8")
    return extend(Draft202012Validator, {"pattern": pattern})(json.loads(text))  # type: ignore[no-untyped-call]


def _explain(error: ValidationError, words: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    value: Any = error.instance
    path = [*error.absolute_path, *([value] if "propertyNames" in error.absolute_schema_path else ())]
    rule: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "additionalProperties":
            known = list(schema.get("properties", ()))
            for name in value:
                if name not in known:
                    yield [*path, name], f"unknown key {name!r}; {did_you_mean(name, known)}"
        case "required":
            for name in rule:
                if name not in value and f"'{name}'" in error.message:
                    yield path, f"expected the key {name!r}, found none"
        case "type":
            kinds = [rule] if isinstance(rule, str) else rule
            expected = " or ".join(words.get(kind, f"a {kind}") for kind in kinds if kind != "null" or kind in words)
            yield path, f"expected {expected}, found {value!r}"
        case "enum":
            yield path, f"expected one of {', '.join(map(str, rule))}, found {value!r}"
        case "pattern":
            yield path, f"expected {schema.get('description', rule)}, found {value!r}"
        case "minimum" | "maximum" | "exclusiveMinimum":
            sign = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">"}[error.validator]
            yield path, f"expected a number {sign} {rule}, found {value!r}"
        case "uniqueItems":
            yield path, f"expected items that differ, found {value!r}"
        case "maxItems" | "minItems" | "minProperties" | "minLength":
            most = "at most" if error.validator == "maxItems" else "at least"
            what = COUNTED[error.validator] + "s" * (rule != 1)
            yield path, f"expected {most} {rule} {what}, found {len(value) or 'none'}"
        case _:
            yield path, error.message
