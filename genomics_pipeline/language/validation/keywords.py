"""The keywords of ``asl.schema.json``: JSON Schema's own with AWS's messages, and additional ones.

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
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}
_FORMATS: Mapping[str, Callable[[str], str | None]] = {
    "context_path": expressions.context_path_problem,
    "path": expressions.path_problem,
    "path_or_intrinsic": expressions.path_or_intrinsic_problem,
    "reference_path": expressions.reference_path_problem,
    "result_path": expressions.result_path_problem,
    "timestamp": expressions.timestamp_problem,
}


class SchemaViolation(ValidationError):
    """A violation of the schema, with AWS's code."""

    def __init__(self, message: str, path: Iterable[str | int] = (), code: str = SCHEMA) -> None:
        super().__init__(message, path=path)
        self.code = code


def has(node: Mapping[str, Any], field: str) -> bool:
    """Return whether an object has a field; ``"End": false`` counts as absent."""
    return field in node and node[field] is not False


def _type(_: Any, kinds: Any, value: Any, __: Any) -> Iterator[ValidationError]:
    allowed = [kinds] if isinstance(kinds, str) else kinds
    if not any(_KINDS[kind](value) for kind in allowed):
        yield SchemaViolation(f"Expected value of type [{', '.join(kind.upper() for kind in allowed)}]")


def _enum(_: Any, values: Any, value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and value not in values:
        yield SchemaViolation(f"Value should be one of the following: [{', '.join(values)}]")


def _minimum(_: Any, least: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if _KINDS[schema["type"]](value) and not value >= least:
        yield SchemaViolation(f"Minimum value is {least}")


def _maximum(_: Any, most: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if _KINDS[schema["type"]](value) and not value <= most:
        yield SchemaViolation(f"Maximum value is {most}")


def _not_empty(_: Any, __: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if _KINDS[schema["type"]](value) and not value:
        yield SchemaViolation("Value cannot be empty")


def _required(_: Any, fields: Any, value: Any, __: Any) -> Iterator[ValidationError]:
    missing = [field for field in fields if field not in value] if isinstance(value, dict) else []
    if missing:
        yield SchemaViolation(f"These fields are required: [{', '.join(missing)}]")


def _additional(_: Any, __: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    for field in value if isinstance(value, dict) else ():
        if field not in schema["properties"]:
            yield SchemaViolation(f"Field '{field}' is not supported")


def _only_one(_: Any, groups: Any, value: Any, __: Any) -> Iterator[ValidationError]:
    for group in groups if isinstance(value, dict) else ():
        if sum(has(value, field) for field in group) > 1:
            yield SchemaViolation(f"There should only be one of the following fields: [{', '.join(group)}]")


def _exactly_one(validator: Any, groups: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    yield from _only_one(validator, groups, value, schema)
    for group in groups if isinstance(value, dict) else ():
        if not any(has(value, field) for field in group):
            yield SchemaViolation(f"This object should have only one of the following fields: [{', '.join(group)}]")


def _format(_: Any, name: Any, value: Any, __: Any) -> Iterator[ValidationError]:
    problem = _FORMATS[name](value) if isinstance(value, str) else None
    if problem is not None:
        yield SchemaViolation(problem)


def _properties(language: str) -> Keyword:
    """Return the keyword `properties`; a field's `queryLanguage` and `expression` decide whether its others apply."""

    def properties(validator: Any, fields: Any, node: Any, _: Any) -> Iterator[ValidationError]:
        for field, value in node.items() if isinstance(node, dict) else ():
            schema = fields.get(field)
            if schema is None:
                continue
            only = schema.get("queryLanguage")
            if only is not None and language and only != language:
                words = f"The QueryLanguage is set to '{language}', but field '{field}'"
                yield SchemaViolation(f"{words} is only supported for the '{only}' QueryLanguage")
            elif language == JSONATA and "expression" in schema and expressions.starts_expression(value):
                for code, message in expressions.jsonata_problems(value):
                    yield SchemaViolation(message, [field], code)
            else:
                yield from _field(validator, field, value, schema)

    return properties


def _field(validator: Any, field: str, value: Any, schema: Any) -> Iterator[ValidationError]:
    """Yield the errors of `validator.descend`, without its new validator for each field, which doubles the time."""
    for word, rule in schema.items():
        keyword = validator.VALIDATORS.get(word)
        for error in (keyword(validator, rule, value, schema) or ()) if keyword else ():
            error.relative_path.appendleft(field)
            yield error


def _template(language: str) -> Keyword:
    """Return the keyword `template`; as a text, its value is one more member of ``$states`` that the field can read."""

    def template(_: Any, rule: Any, value: Any, __: Any) -> Iterator[ValidationError]:
        if language == JSONATA:
            problems = templates.jsonata_template_problems(value, rule if isinstance(rule, str) else None)
        elif language == JSONPATH:
            problems = templates.jsonpath_template_problems(value)
        else:
            return
        yield from (SchemaViolation(message, path, code) for code, message, path in problems)

    return template


def _variables(language: str) -> Keyword:
    def variables(_: Any, __: Any, value: Any, ___: Any) -> Iterator[ValidationError]:
        for code, message, path in templates.variable_name_problems(value, jsonpath=language != JSONATA):
            yield SchemaViolation(message, path, code)

    return variables


def keywords(language: str) -> dict[str, Keyword]:
    """Return the schema's keywords for a state in a query language, which is `NEITHER` if it has fields of both."""
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
