"""The words of ``asl.schema.json``: JSON Schema's own with AWS's messages, and those the States Language needs beside.

AWS's messages are those of ValidateStateMachineDefinition, recorded in localstack/localstack
(test_sfn_api_validation.snapshot.json, test_test_state_machine_scenarios), floci-io/floci (issues 2735, 2968, 3733) and
badmintoncryer/cdk-preflight (pf-sfn-asl-*).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jsonschema import ValidationError

from genomics_pipeline.language.validation import expressions, templates
from genomics_pipeline.language.validation.diagnostics import SCHEMA
from genomics_pipeline.language.walker import JSONATA, JSONPATH

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]

_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "array": lambda found: isinstance(found, list),
    "boolean": lambda found: isinstance(found, bool),
    "integer": lambda found: isinstance(found, int) and not isinstance(found, bool),
    "null": lambda found: found is None,
    "number": lambda found: isinstance(found, int | float) and not isinstance(found, bool),
    "object": lambda found: isinstance(found, dict),
    "string": lambda found: isinstance(found, str),
}
_FORMATS: Mapping[str, Callable[[str], str | None]] = {
    "context_path": expressions.context_path,
    "path": expressions.path,
    "path_or_intrinsic": expressions.path_or_intrinsic,
    "reference_path": expressions.reference_path,
    "result_path": expressions.result_path,
    "timestamp": expressions.timestamp,
}


class Refused(ValidationError):
    """A problem with AWS's code."""

    def __init__(self, message: str, path: Iterable[str | int] = (), code: str = SCHEMA) -> None:
        super().__init__(message, path=path)
        self.code = code


def has(node: Mapping[str, Any], field: str) -> bool:
    """Return whether the field is there; ``"End": false`` says no more than none."""
    return field in node and node[field] is not False


def _type(_: Any, kinds: Any, found: Any, __: Any) -> Iterator[ValidationError]:
    allowed = [kinds] if isinstance(kinds, str) else kinds
    if not any(_KINDS[kind](found) for kind in allowed):
        yield Refused(f"Expected value of type [{', '.join(kind.upper() for kind in allowed)}]")


def _enum(_: Any, values: Any, found: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(found, str) and found not in values:
        yield Refused(f"Value should be one of the following: [{', '.join(values)}]")


def _minimum(_: Any, least: Any, found: Any, schema: Any) -> Iterator[ValidationError]:
    if _KINDS[schema["type"]](found) and not found >= least:
        yield Refused(f"Minimum value is {least}")


def _maximum(_: Any, most: Any, found: Any, schema: Any) -> Iterator[ValidationError]:
    if _KINDS[schema["type"]](found) and not found <= most:
        yield Refused(f"Maximum value is {most}")


def _not_empty(_: Any, __: Any, found: Any, schema: Any) -> Iterator[ValidationError]:
    if _KINDS[schema["type"]](found) and not found:
        yield Refused("Value cannot be empty")


def _required(_: Any, fields: Any, found: Any, __: Any) -> Iterator[ValidationError]:
    missing = [field for field in fields if field not in found] if isinstance(found, dict) else []
    if missing:
        yield Refused(f"These fields are required: [{', '.join(missing)}]")


def _additional(_: Any, __: Any, found: Any, schema: Any) -> Iterator[ValidationError]:
    for field in found if isinstance(found, dict) else ():
        if field not in schema["properties"]:
            yield Refused(f"Field '{field}' is not supported")


def _only_one(_: Any, groups: Any, found: Any, __: Any) -> Iterator[ValidationError]:
    for group in groups if isinstance(found, dict) else ():
        if sum(has(found, field) for field in group) > 1:
            yield Refused(f"There should only be one of the following fields: [{', '.join(group)}]")


def _exactly_one(validator: Any, groups: Any, found: Any, schema: Any) -> Iterator[ValidationError]:
    yield from _only_one(validator, groups, found, schema)
    for group in groups if isinstance(found, dict) else ():
        if not any(has(found, field) for field in group):
            yield Refused(f"This object should have only one of the following fields: [{', '.join(group)}]")


def _format(_: Any, name: Any, found: Any, __: Any) -> Iterator[ValidationError]:
    problem = _FORMATS[name](found) if isinstance(found, str) else None
    if problem is not None:
        yield Refused(problem)


def _properties(language: str) -> Keyword:
    """`queryLanguage` and `expression` of a field decide whether its other words are asked."""

    def properties(validator: Any, fields: Any, found: Any, _: Any) -> Iterator[ValidationError]:
        for field, value in found.items() if isinstance(found, dict) else ():
            schema = fields.get(field)
            if schema is None:
                continue
            only = schema.get("queryLanguage")
            if only is not None and language and only != language:
                words = f"The QueryLanguage is set to '{language}', but field '{field}'"
                yield Refused(f"{words} is only supported for the '{only}' QueryLanguage")
            elif language == JSONATA and "expression" in schema and expressions.begins_as_expression(value):
                for code, message in expressions.jsonata(value):
                    yield Refused(message, [field], code)
            else:
                yield from _field(validator, field, value, schema)

    return properties


def _field(validator: Any, field: str, value: Any, schema: Any) -> Iterator[ValidationError]:
    """Yield what `validator.descend` does, without a new validator for each field: half the time of a document."""
    for word, rule in schema.items():
        keyword = validator.VALIDATORS.get(word)
        for error in (keyword(validator, rule, value, schema) or ()) if keyword else ():
            error.relative_path.appendleft(field)
            yield error


def _template(language: str) -> Keyword:
    """The rule of a field that can read one more member of ``$states`` is that member's name."""

    def template(_: Any, rule: Any, found: Any, __: Any) -> Iterator[ValidationError]:
        if language == JSONATA:
            problems = templates.in_jsonata(found, rule if isinstance(rule, str) else None)
        elif language == JSONPATH:
            problems = templates.in_jsonpath(found)
        else:
            return
        yield from (Refused(message, place, code) for code, message, place in problems)

    return template


def _variables(language: str) -> Keyword:
    def variables(_: Any, __: Any, found: Any, ___: Any) -> Iterator[ValidationError]:
        for code, message, place in templates.variable_names(found, jsonpath=language != JSONATA):
            yield Refused(message, place, code)

    return variables


def keywords(language: str) -> dict[str, Keyword]:
    """Return the schema's words for a state of a query language.

    Args:
        language: JSONPath, JSONata, or neither where fields of both stand.
    """
    return {
        "additionalProperties": _additional,
        "enum": _enum,
        "exactlyOneOf": _exactly_one,
        "format": _format,
        "maximum": _maximum,
        "minItems": _not_empty,
        "minProperties": _not_empty,
        "minimum": _minimum,
        "onlyOneOf": _only_one,
        "properties": _properties(language),
        "required": _required,
        "template": _template(language),
        "type": _type,
        "variables": _variables(language),
    }
