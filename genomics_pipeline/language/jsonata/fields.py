"""The fields of a JSONata state: Arguments, Output, Assign."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.language.errors import QUERY_EVALUATION, StatesError
from genomics_pipeline.language.jsonata.expressions import evaluate
from genomics_pipeline.language.jsonata.text import is_expression, text_of
from genomics_pipeline.language.jsonata.typed import FIELDS, typed
from genomics_pipeline.language.query_language import Node, Outcome, StateScope
from genomics_pipeline.language.variables import assign


class JsonataFields:
    """The query language JSONata; an implementation of `query_language.QueryLanguage`."""

    def input(self, scope: StateScope) -> Any:
        """Return the state's input: there is no InputPath."""
        return scope.raw

    def arguments(self, scope: StateScope, node: Node, prefix: str, default: Any) -> Any:
        """Return the value of ``Arguments``."""
        if "Arguments" not in node:
            return default
        return evaluate(node["Arguments"], bindings(scope), f"{prefix}Arguments", scope.host)

    def field(self, scope: StateScope, node: Node, name: str, prefix: str, default: Any) -> Any:
        """Return the value of a field, of the type that AWS demands where the field is an expression."""
        if name not in node:
            return default
        value = evaluate(node[name], bindings(scope), f"{prefix}{name}", scope.host)
        if name in FIELDS and is_expression(node[name]):
            return typed(value, FIELDS[name], text_of(node[name]), f"{prefix}{name}")
        return value

    def template(self, scope: StateScope, value: Any, field: str, item: Node | None) -> Any:
        """Return the value of a template, whose strings may be expressions."""
        return evaluate(value, bindings(scope, item), field, scope.host)

    def items(self, scope: StateScope) -> Any:
        """Return the value of ``Items``, or the state's input."""
        value = self.field(scope, scope.state, "Items", "", scope.input)
        if not isinstance(value, list | dict):
            cause = f"The field 'Items' of the state '{scope.name}' must be an array or an object."
            raise StatesError(QUERY_EVALUATION, cause, location="Items")
        return value

    def condition(self, scope: StateScope, rule: Node, prefix: str) -> bool:
        """Return the value of ``Condition``."""
        return bool(self.field(scope, rule, "Condition", prefix, False))

    def passed(self, scope: StateScope, node: Node, prefix: str) -> Outcome:
        """Evaluate ``Output`` and ``Assign`` of a state, or of the rule that was chosen."""
        return _after(scope, scope.input, node, prefix)

    def finished(self, scope: StateScope, result: Any) -> Outcome:
        """Evaluate ``Output`` and ``Assign`` of a state with a result."""
        return _after(scope, result, scope.state, "", result=result)

    def caught(self, scope: StateScope, error: dict[str, str], node: Node, prefix: str) -> Outcome:
        """Evaluate ``Output`` and ``Assign`` of a catcher."""
        return _after(scope, error, node, prefix, errorOutput=error)


def _after(scope: StateScope, default: Any, node: Node, prefix: str, **states: Any) -> Outcome:
    """Evaluate Output and Assign, neither of which sees what the other makes."""
    output, variables = default, scope.variables
    if "Assign" in node or "Output" in node:
        bound = bindings(scope, None, **states)
        if "Output" in node:
            output = evaluate(node["Output"], bound, f"{prefix}Output", scope.host)
        if "Assign" in node:
            values = evaluate(node["Assign"], bound, f"{prefix}Assign", scope.host)
            variables = assign(scope.name, variables, values)
    return output, variables


def bindings(scope: StateScope, item: Node | None = None, **states: Any) -> dict[str, Any]:
    """Return what expressions of a state see: the variables and ``$states``."""
    return {**scope.variables, "states": {"input": scope.input, "context": scope.context(item), **states}}
