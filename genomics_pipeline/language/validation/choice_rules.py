"""Checks of the rules in Choices: a Condition, or a Variable with one comparison, or And, Or, Not of such rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genomics_pipeline.language.validation.diagnostics import Diagnostic, schema_violation, unsupported_field
from genomics_pipeline.language.validation.shapes import check_shape, fields
from genomics_pipeline.language.walker import JSONATA, JSONPATH, StateNode

_SELECTORS = ("And", "Or", "Not", "Variable", "Condition")
_NO_OPERATORS = {*_SELECTORS, "Comment", "Next", "Assign", "Output"}


def check_choices(state: StateNode) -> Iterator[Diagnostic]:
    """Yield the problems of a Choice state's ``Choices``."""
    choices = state.node.get("Choices") if state.kind == "Choice" else None
    waiting = [
        ("ChoiceRule", rule, f"{state.path}/Choices[{number}]")
        for number, rule in enumerate(choices if isinstance(choices, list) else ())
    ]
    waiting.reverse()
    while waiting:
        name, rule, path = waiting.pop()
        yield from check_shape(name, rule, path, state.language)
        if isinstance(rule, dict):
            yield from _check_rule(rule, path, state.language)
            if state.language != JSONATA:
                waiting.extend(reversed(list(_nested_rules(rule, path))))


def _check_rule(rule: dict[str, Any], path: str, language: str) -> Iterator[Diagnostic]:
    if sum(field in rule for field in _SELECTORS) != 1:
        words = "The object must have only one of the following fields"
        yield schema_violation(f"{words}, [{', '.join(_SELECTORS)}]", path)
    if language != JSONPATH:
        return
    operators = [field for field in fields("ChoiceRule") if field in rule and field not in _NO_OPERATORS]
    if "Variable" not in rule:
        yield from (unsupported_field(operator, path) for operator in operators)
    elif not operators:
        yield schema_violation("This object should have only one comparison operator, found none", path)
    elif len(operators) > 1:
        yield schema_violation(f"There should only be one of the following fields: [{', '.join(operators)}]", path)


def _nested_rules(rule: dict[str, Any], path: str) -> Iterator[tuple[str, Any, str]]:
    for field in ("And", "Or"):
        rules = rule.get(field)
        for number, inner in enumerate(rules if isinstance(rules, list) else ()):
            yield "NestedRule", inner, f"{path}/{field}[{number}]"
    if isinstance(rule.get("Not"), dict):
        yield "NestedRule", rule["Not"], f"{path}/Not"
