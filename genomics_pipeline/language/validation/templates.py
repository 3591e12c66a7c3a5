"""Checks of templates: Parameters, ResultSelector, ItemSelector, BatchInput, Credentials; Arguments, Output, Assign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genomics_pipeline.language.validation.diagnostics import INVALID_VARIABLE, RESERVED_VARIABLE, SCHEMA
from genomics_pipeline.language.validation.expressions import is_template_value, jsonata_problems, starts_expression
from genomics_pipeline.model import quotas

TemplatePath = list[str | int]
TemplateProblem = tuple[str, str, TemplatePath]  # code, message, path in the template


def jsonata_template_problems(template: Any, member: str | None) -> Iterator[TemplateProblem]:
    """Yield the problems of a template's expressions; `member` is as for `expressions.jsonata_problems`."""
    waiting: list[tuple[Any, TemplatePath]] = [(template, [])]
    while waiting:
        value, path = waiting.pop()
        if starts_expression(value):
            yield from ((code, message, path) for code, message in jsonata_problems(value, member))
        elif isinstance(value, dict):
            waiting.extend((inner, [*path, key]) for key, inner in reversed(value.items()))
        elif isinstance(value, list):
            waiting.extend((inner, [*path, number]) for number, inner in reversed(list(enumerate(value))))


def jsonpath_template_problems(template: Any) -> Iterator[TemplateProblem]:
    """Yield the problems of a template's ``.$`` fields.

    AWS's location is the template, not the field (aws-cloudformation/cfn-lint issue 4085).
    """
    waiting: list[Any] = [template]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            for key, inner in value.items():
                if key.endswith(".$") and not (isinstance(inner, str) and is_template_value(inner)):
                    words = f"The value for the field '{key}' must be a valid JSONPath"
                    yield SCHEMA, f"{words} or a valid intrinsic function call", []
            waiting.extend(inner for key, inner in reversed(value.items()) if not key.endswith(".$"))


def variable_name_problems(assign: Any, *, jsonpath: bool) -> Iterator[TemplateProblem]:
    """Yield the problems of the names of the variables that an Assign sets.

    Codes and messages: badmintoncryer/cdk-preflight, pf-sfn-asl-jsonpath-syntax. Names consist of Unicode's ID_Start
    and ID_Continue and have at most 80 characters (developer guide, workflow-variables).
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
