"""The fields of a JSONata state: Arguments, Output, Assign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genomics_pipeline.engine.variables import assign
from genomics_pipeline.language.errors import QUERY_EVALUATION, StatesError
from genomics_pipeline.language.jsonata.expressions import evaluate, is_expression, text_of
from genomics_pipeline.language.jsonata.typed import FIELDS, typed

if TYPE_CHECKING:
    from genomics_pipeline.engine.query_language import Node, Outcome
    from genomics_pipeline.engine.visit import Visit


class JsonataFields:
    """`engine.query_language.QueryLanguage` of JSONata."""

    def input(self, visit: Visit) -> Any:
        """The state's input: there is no InputPath."""
        return visit.raw

    def arguments(self, visit: Visit, node: Node, at: str, default: Any) -> Any:
        """``Arguments``."""
        return evaluate(node["Arguments"], bindings(visit), f"{at}Arguments") if "Arguments" in node else default

    def field(self, visit: Visit, node: Node, name: str, at: str, default: Any) -> Any:
        """The field, which may be an expression; AWS says which type its value must have."""
        if name not in node:
            return default
        value = evaluate(node[name], bindings(visit), f"{at}{name}")
        if name in FIELDS and is_expression(node[name]):
            return typed(value, FIELDS[name], text_of(node[name]), f"{at}{name}")
        return value

    def template(self, visit: Visit, value: Any, at: str, item: Node | None) -> Any:
        """The template, whose strings may be expressions."""
        return evaluate(value, bindings(visit, item), at)

    def items(self, visit: Visit) -> Any:
        """``Items``, or the state's input."""
        found = self.field(visit, visit.state, "Items", "", visit.input)
        if not isinstance(found, list | dict):
            cause = f"The field 'Items' of the state '{visit.name}' must be an array or an object."
            raise StatesError(QUERY_EVALUATION, cause, location="Items")
        return found

    def condition(self, visit: Visit, rule: Node, at: str) -> bool:
        """``Condition``."""
        return bool(self.field(visit, rule, "Condition", at, False))

    def passed(self, visit: Visit, node: Node, at: str) -> Outcome:
        """``Output`` and ``Assign`` of a state, or of the rule that was chosen."""
        return _after(visit, visit.input, node, at)

    def finished(self, visit: Visit, result: Any) -> Outcome:
        """``Output`` and ``Assign`` of a state with a result."""
        return _after(visit, result, visit.state, "", result=result)

    def caught(self, visit: Visit, error: dict[str, str], node: Node, at: str) -> Outcome:
        """``Output`` and ``Assign`` of a catcher."""
        return _after(visit, error, node, at, errorOutput=error)


def _after(visit: Visit, default: Any, node: Node, at: str, **states: Any) -> Outcome:
    """Neither of Output and Assign sees what the other makes."""
    output, variables = default, visit.variables
    if "Assign" in node or "Output" in node:
        bound = bindings(visit, None, **states)
        if "Output" in node:
            output = evaluate(node["Output"], bound, f"{at}Output")
        if "Assign" in node:
            variables = assign(visit.name, variables, evaluate(node["Assign"], bound, f"{at}Assign"))
    return output, variables


def bindings(visit: Visit, item: Node | None = None, **states: Any) -> dict[str, Any]:
    """What expressions of the state see: the variables and ``$states``."""
    return {**visit.variables, "states": {"input": visit.input, "context": visit.context(item), **states}}
