"""Payload templates: Parameters, ResultSelector, ItemSelector, BatchInput, Credentials; Arguments, Output, Assign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genomics_pipeline.language.validation.diagnostics import INVALID_VARIABLE, RESERVED_VARIABLE, SCHEMA
from genomics_pipeline.language.validation.expressions import begins_as_expression, jsonata, template_value
from genomics_pipeline.model import quotas

TemplatePath = list[str | int]
Found = tuple[str, str, TemplatePath]  # code, message, where in the template


def in_jsonata(template: Any, member: str | None) -> Iterator[Found]:
    """Yield what is wrong with the expressions of a template, each at its place; see `expressions.jsonata`."""
    waiting: list[tuple[Any, TemplatePath]] = [(template, [])]
    while waiting:
        value, place = waiting.pop()
        if begins_as_expression(value):
            yield from ((code, message, place) for code, message in jsonata(value, member))
        elif isinstance(value, dict):
            waiting.extend((inner, [*place, key]) for key, inner in reversed(value.items()))
        elif isinstance(value, list):
            waiting.extend((inner, [*place, number]) for number, inner in reversed(list(enumerate(value))))


def in_jsonpath(template: Any) -> Iterator[Found]:
    """What is wrong with the ``.$`` fields of a template. AWS places it at the template (aws-cloudformation/cfn-lint
    issue 4085).
    """
    waiting: list[Any] = [template]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            for key, inner in value.items():
                if key.endswith(".$") and not (isinstance(inner, str) and template_value(inner)):
                    words = f"The value for the field '{key}' must be a valid JSONPath"
                    yield SCHEMA, f"{words} or a valid intrinsic function call", []
            waiting.extend(inner for key, inner in reversed(value.items()) if not key.endswith(".$"))


def variable_names(assign: Any, *, jsonpath: bool) -> Iterator[Found]:
    """Yield what is wrong with the names of the variables that an Assign makes.

    The codes and words: badmintoncryer/cdk-preflight, pf-sfn-asl-jsonpath-syntax; the rule: Unicode's ID_Start and
    ID_Continue, 80 characters (developer guide, workflow-variables).
    """
    for key in assign if isinstance(assign, dict) else ():
        name = key.removesuffix(".$") if jsonpath else key
        if name == "states":
            yield RESERVED_VARIABLE, "Cannot assign to reserved variable '$states'.", [key]
        elif name.startswith("_") or not name.isidentifier():
            words = f"Invalid variable name '{name}': the variable name contains invalid characters."
            yield INVALID_VARIABLE, words, [key]
        elif len(name) > quotas.VARIABLE_NAME.value:
            words = f"Invalid variable name '{name}': the variable name exceeds {quotas.VARIABLE_NAME}."
            yield INVALID_VARIABLE, words, [key]
