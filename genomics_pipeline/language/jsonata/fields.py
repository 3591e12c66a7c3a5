"""Fields of a JSONata state: Arguments, Output, Assign, and those that may be expressions."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.language.errors import QUERY_EVALUATION, StatesError
from genomics_pipeline.language.jsonata.expressions import evaluate
from genomics_pipeline.language.jsonata.field_types import FIELDS, coerce
from genomics_pipeline.language.jsonata.text import is_expression, unwrap_expression
from genomics_pipeline.language.query_language import Node, Outcome, StateScope
from genomics_pipeline.language.variables import assign


class JsonataFields:
    """The query language JSONata; an implementation of `query_language.QueryLanguage`."""

    def input(self, scope: StateScope) -> Any:
        """Return the state's input, as JSONata states have no InputPath."""
        return scope.raw

    def arguments(self, scope: StateScope, node: Node, prefix: str, default: Any) -> Any:
        """Return the value of ``Arguments``."""
        if "Arguments" not in node:
            return default
        return evaluate(node["Arguments"], bindings(scope), f"{prefix}Arguments", scope.host)

    def field(self, scope: StateScope, node: Node, name: str, prefix: str, default: Any) -> Any:
        """Return the value of a field; the value of an expression must have the type that AWS requires."""
        if name not in node:
            return default
        value = evaluate(node[name], bindings(scope), f"{prefix}{name}", scope.host)
        if name in FIELDS and is_expression(node[name]):
            return coerce(value, FIELDS[name], unwrap_expression(node[name]), f"{prefix}{name}")
        return value

    def template(self, scope: StateScope, value: Any, field: str, item: Node | None) -> Any:
        """Return the value of a template."""
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

    def outcome_without_result(self, scope: StateScope, node: Node, prefix: str) -> Outcome:
        """Evaluate ``Output`` and ``Assign`` of a state, or of the Choice rule that matched."""
        return _outcome(scope, scope.input, node, prefix)

    def outcome_with_result(self, scope: StateScope, result: Any) -> Outcome:
        """Evaluate ``Output`` and ``Assign`` of a state with a result."""
        return _outcome(scope, result, scope.state, "", result=result)

    def outcome_of_catcher(self, scope: StateScope, error: dict[str, str], node: Node, prefix: str) -> Outcome:
        """Evaluate ``Output`` and ``Assign`` of a catcher."""
        return _outcome(scope, error, node, prefix, errorOutput=error)


def _outcome(scope: StateScope, default: Any, node: Node, prefix: str, **states: Any) -> Outcome:
    """Evaluate Output and Assign, neither of which depends on the other."""
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
    """Return the variables that a state's expressions may read, ``$states`` included."""
    return {**scope.variables, "states": {"input": scope.input, "context": scope.context(item), **states}}
