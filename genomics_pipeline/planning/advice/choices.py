"""Rules for Choice states: input that no rule takes, and rules that no input comes to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from genomics_pipeline.language.query_language import Node
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.fields import objects
from genomics_pipeline.planning.advice.finding import AdviceRule, Remark, Severity

_NOT_CONDITION = ("Next", "Assign", "Output", "Comment")
_OPPOSITES = (("LessThan", "GreaterThanEquals"), ("GreaterThan", "LessThanEquals"))
_ORDERED = re.compile(r"(?P<type>Numeric|String|Timestamp)(?P<relation>LessThan|GreaterThan)(?P<path>Path)?")
_EXPRESSION = re.compile(r"\{%\s*(?P<body>.*?)\s*%\}", re.DOTALL)


def check_default(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield Choices without Default whose rules do not take every input."""
    for state in definition.of_kind("Choice"):
        if "Default" in state.node:
            continue
        conditions = [_condition(rule) for _, rule in objects(state.node, "Choices")]
        if conditions and not _are_exhaustive(conditions):
            why = (
                "If no rule matches, the execution fails with States.NoChoiceMatched, which says nothing of the input. "
                "Add a Default; a Fail state with an Error of its own, if that must not happen."
            )
            yield Remark(state.path, why)


def check_dead_rules(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield rules of Choices with the condition of an earlier one."""
    for state in definition.of_kind("Choice"):
        seen = dict[str, int]()
        for place, rule in objects(state.node, "Choices"):
            condition = _text(_condition(rule))
            first = seen.setdefault(condition, place)
            if first != place:
                why = f"Choices[{first}] has the same condition, and comes first: this rule never applies. Remove it."
                yield Remark(f"{state.path}/Choices[{place}]", why)


def _condition(rule: Node) -> Node:
    return {name: value for name, value in rule.items() if name not in _NOT_CONDITION}


def _text(condition: Any) -> str:
    return json.dumps(condition, sort_keys=True)


def _are_exhaustive(conditions: list[Node]) -> bool:
    """Return whether one rule is the opposite of another, so that one of them always matches."""
    known = {_text(condition) for condition in conditions}
    return any(_text(opposite) in known for condition in conditions for opposite in _opposites(condition))


def _opposites(condition: Node) -> Iterator[Any]:
    expression = condition.get("Condition")
    if isinstance(expression, str) and (match := _EXPRESSION.fullmatch(expression.strip())):
        yield from ({"Condition": text} for text in (f"{{% $not({match['body']}) %}}", f"{{%$not({match['body']})%}}"))
        if match["body"] == "true":
            yield condition
    yield {"Not": condition}
    operators = [name for name in condition if name != "Variable"]
    if "Variable" in condition and len(operators) == 1:
        yield from _opposite_comparisons(condition, operators[0])


def _opposite_comparisons(condition: Node, operator: str) -> Iterator[Node]:
    value, variable = condition[operator], condition["Variable"]
    if isinstance(value, bool):
        yield {"Variable": variable, operator: not value}
    for one, other in _OPPOSITES:
        if (match := _ORDERED.fullmatch(operator)) and match["relation"] == one:
            yield {"Variable": variable, f"{match['type']}{other}{match['path'] or ''}": value}


RULES = (
    AdviceRule("choice-default", Severity.WARNING, check_default),
    AdviceRule("dead-choice-rule", Severity.WARNING, check_dead_rules),
)
