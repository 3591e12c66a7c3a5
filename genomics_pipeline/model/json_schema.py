"""Validation against JSON Schema, draft 2020-12: the keywords that our schemas use.

Importing a complete validator takes a tenth of the time in which `run` starts its first job. Source:
https://json-schema.org/draft/2020-12/json-schema-validation. A property test compares this one with the package
jsonschema. There are three differences: `pattern` is matched as a whole, the path of a name that ``propertyNames``
forbids includes the name, and a word that is no keyword is an error, unless it is one of `ANNOTATIONS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

Key = str | int
Schema = Mapping[str, Any]

ANNOTATIONS = frozenset({"$schema", "$defs", "title", "description"})

KINDS: Mapping[str, Callable[[Any], bool]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: is_number(value) and (isinstance(value, int) or value.is_integer()),
    "null": lambda value: value is None,
    "number": lambda value: is_number(value),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def is_number(value: Any) -> bool:
    """Return whether a JSON value is a number; in Python, true and false are integers too."""
    return isinstance(value, int | float) and not isinstance(value, bool)


class Located(Protocol):
    """A violation that knows the path to its value."""

    def below(self, key: Key) -> Any:
        """Return the same violation of a value that has this key in the object or array around it."""


V = TypeVar("V", bound=Located)
Keyword = Callable[["Validator[V]", Any, Any, Schema], Iterator[V]]


class Validator(Generic[V]):
    """A schema with the keywords that it is written in.

    Args:
        schema: The schema.
        keywords: The keywords by name. Each is called with this validator, its own value, the value to be checked and
            the schema that it stands in, and yields what is wrong.
    """

    def __init__(self, schema: Schema, keywords: Mapping[str, Keyword[V]]) -> None:
        self._root = schema
        self._keywords = keywords

    def violations(self, value: Any, schema: Schema | None = None) -> Iterator[V]:
        """Yield the violations of a schema, or of a part of it, in the order of its keywords."""
        part = self._root if schema is None else schema
        for word, rule in part.items():
            if word not in ANNOTATIONS:
                yield from self._keywords[word](self, rule, value, part)

    def definition(self, reference: str) -> Schema:
        """Return the part of the schema that a reference such as ``#/$defs/name`` leads to."""
        part: Schema = self._root
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
        return part


class Violation(NamedTuple):
    """A value that a schema forbids.

    Attributes:
        keyword: The keyword.
        rule: The value of the keyword; of ``required`` the missing names, of
            ``additionalProperties`` those that are not allowed.
        value: The value.
        schema: The schema that the keyword stands in.
        path: The path to the value.
    """

    keyword: str
    rule: Any
    value: Any
    schema: Schema
    path: tuple[Key, ...] = ()

    def below(self, key: Key) -> Violation:
        """Return the same violation of a value that has this key in the object or array around it."""
        return self._replace(path=(key, *self.path))


def reference(validator: Validator[V], rule: str, value: Any, _: Schema) -> Iterator[V]:
    """Check ``$ref``."""
    yield from validator.violations(value, validator.definition(rule))


def items(validator: Validator[V], rule: Schema, value: Any, _: Schema) -> Iterator[V]:
    """Check ``items``."""
    for index, item in enumerate(value if isinstance(value, list) else ()):
        for violation in validator.violations(item, rule):
            yield violation.below(index)


def _properties(validator: Validator[V], rule: Mapping[str, Schema], value: Any, _: Schema) -> Iterator[V]:
    for name, schema in rule.items() if isinstance(value, dict) else ():
        if name in value:
            for violation in validator.violations(value[name], schema):
                yield violation.below(name)


def _property_names(validator: Validator[V], rule: Schema, value: Any, _: Schema) -> Iterator[V]:
    for name in value if isinstance(value, dict) else ():
        for violation in validator.violations(name, rule):
            yield violation.below(name)


def _additional(validator: Validator[Violation], rule: Any, value: Any, schema: Schema) -> Iterator[Violation]:
    known = schema.get("properties", ())
    additional = [name for name in value if name not in known] if isinstance(value, dict) else []
    if rule is False and additional:
        yield Violation("additionalProperties", additional, value, schema)
    for name in additional if isinstance(rule, dict) else ():
        for violation in validator.violations(value[name], rule):
            yield violation.below(name)


def _has_equal(value: list[Any]) -> bool:
    kinds = [(isinstance(item, bool), item) for item in value]
    return any(item in kinds[:index] for index, item in enumerate(kinds))


def _broken(keyword: str, is_broken: Callable[[Any, Any], bool]) -> Keyword[Violation]:
    """Return a keyword that a value as a whole obeys or breaks."""

    def check(_: Validator[Violation], rule: Any, value: Any, schema: Schema) -> Iterator[Violation]:
        if is_broken(rule, value):
            yield Violation(keyword, rule, value, schema)

    return check


def _required(_: Validator[Violation], rule: list[str], value: Any, schema: Schema) -> Iterator[Violation]:
    if missing := [name for name in rule if name not in value] if isinstance(value, dict) else []:
        yield Violation("required", missing, value, schema)


def kinds_of(rule: str | list[str]) -> list[str]:
    """Return the types that ``type`` names."""
    return [rule] if isinstance(rule, str) else rule


_WHOLE: Mapping[str, Callable[[Any, Any], bool]] = {
    "enum": lambda rule, value: value not in rule,
    "exclusiveMinimum": lambda rule, value: is_number(value) and value <= rule,
    "maxItems": lambda rule, value: isinstance(value, list) and len(value) > rule,
    "maximum": lambda rule, value: is_number(value) and value > rule,
    "minItems": lambda rule, value: isinstance(value, list) and len(value) < rule,
    "minLength": lambda rule, value: isinstance(value, str) and len(value) < rule,
    "minProperties": lambda rule, value: isinstance(value, dict) and len(value) < rule,
    "minimum": lambda rule, value: is_number(value) and value < rule,
    "pattern": lambda rule, value: isinstance(value, str) and not re.fullmatch(rule, value),
    "type": lambda rule, value: not any(KINDS[kind](value) for kind in kinds_of(rule)),
    "uniqueItems": lambda rule, value: rule and isinstance(value, list) and _has_equal(value),
}

KEYWORDS: Mapping[str, Keyword[Violation]] = {
    **{word: _broken(word, is_broken) for word, is_broken in _WHOLE.items()},
    "$ref": reference,
    "additionalProperties": _additional,
    "items": items,
    "properties": _properties,
    "propertyNames": _property_names,
    "required": _required,
}
