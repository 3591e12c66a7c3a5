"""The fields of a JSONPath state: InputPath, Parameters, ResultSelector, ResultPath, OutputPath, Assign, ``…Path``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genomics_pipeline.engine.variables import assign
from genomics_pipeline.language.jsonpath import choice_rule, intrinsics, path, path_fields
from genomics_pipeline.language.jsonpath.payload_template import fill
from genomics_pipeline.language.jsonpath.reference_path import place
from genomics_pipeline.language.jsonpath.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genomics_pipeline.engine.query_language import Node, Outcome
    from genomics_pipeline.engine.visit import Visit


class JsonPathFields:
    """`engine.query_language.QueryLanguage` of JSONPath. Literal fields are not evaluated."""

    def input(self, visit: Visit) -> Any:
        """``InputPath`` of the state's input; null gives an empty object."""
        return _selected(visit.state, "InputPath", _scope(visit, visit.raw))

    def arguments(self, visit: Visit, node: Node, at: str, default: Any) -> Any:
        """``Parameters``, over the effective input."""
        if "Parameters" not in node:
            return default
        return fill(node["Parameters"], _scope(visit, visit.input), f"{at}Parameters")

    def field(self, visit: Visit, node: Node, name: str, at: str, default: Any) -> Any:
        """The field as it stands, or what its ``…Path`` leads to, which must be of the field's kind."""
        text = node.get(f"{name}Path")
        if text is None:
            return node.get(name, default)
        scope = _scope(visit, visit.input)
        if name in path_fields.TEXTS and intrinsics.is_intrinsic(text):
            found = intrinsics.evaluate(text, scope, f"{name}Path")
        else:
            found = path.find(text, scope, f"{at}{name}Path")
        return path_fields.checked(name, text, found)

    def template(self, visit: Visit, value: Any, at: str, item: Node | None) -> Any:
        """The payload template, over the effective input."""
        return fill(value, _scope(visit, visit.input, item), at)

    def items(self, visit: Visit) -> Any:
        """``ItemsPath``, over the effective input, or that itself; only an array will do."""
        text = visit.state.get("ItemsPath", "$")
        return path_fields.checked("Items", text, path.find(text, _scope(visit, visit.input), "ItemsPath"))

    def condition(self, visit: Visit, rule: Node, at: str) -> bool:
        """``Variable`` and its comparison, or ``And``, ``Or``, ``Not``."""
        return choice_rule.matches(rule, _scope(visit, visit.input), at)

    def passed(self, visit: Visit, node: Node, at: str) -> Outcome:
        """``Result`` or ``Parameters`` of a Pass, and its ``ResultPath``; ``OutputPath`` and ``Assign`` of each."""
        if visit.state["Type"] != "Pass":
            return _after(visit, visit.input, visit.input, node, at)
        result = self.arguments(visit, visit.state, at, visit.input)
        if visit.state.get("Result") is not None:  # AWS takes a null Result for none
            result = visit.state["Result"]
        return _after(visit, _placed(visit, result, node), result, node, at)

    def finished(self, visit: Visit, result: Any) -> Outcome:
        """``ResultSelector``, then ``ResultPath`` into the state's input, then ``OutputPath``; ``Assign``."""
        if "ResultSelector" in visit.state:
            result = fill(visit.state["ResultSelector"], _scope(visit, result), "ResultSelector")
        return _after(visit, _placed(visit, result, visit.state), result, visit.state, "")

    def caught(self, visit: Visit, error: dict[str, str], node: Node, at: str) -> Outcome:
        """``ResultPath`` of a catcher, into the state's input, and its ``Assign``."""
        return _placed(visit, error, node), _assigned(visit, error, node, at)


def _scope(visit: Visit, value: Any, item: Node | None = None) -> Scope:
    return Scope(value, lambda: visit.context(item), visit.variables)


def _selected(node: Node, name: str, scope: Scope) -> Any:
    """What InputPath or OutputPath leaves."""
    text = node.get(name, "$")
    return {} if text is None else path.find(text, scope, name)


def _placed(visit: Visit, result: Any, node: Node) -> Any:
    """The state's input with the result where ``ResultPath`` puts it: in its place, unless it says otherwise."""
    text = node.get("ResultPath", "$")
    return visit.raw if text is None else place(text, visit.raw, result)


def _after(visit: Visit, output: Any, result: Any, node: Node, at: str) -> Outcome:
    """Neither of OutputPath and Assign sees what the other makes."""
    return _selected(visit.state, "OutputPath", _scope(visit, output)), _assigned(visit, result, node, at)


def _assigned(visit: Visit, value: Any, node: Node, at: str) -> Mapping[str, Any]:
    """The variables after ``Assign``, whose ``$`` is the result, or the effective input, or the error."""
    if "Assign" not in node:
        return visit.variables
    return assign(visit.name, visit.variables, fill(node["Assign"], _scope(visit, value), f"{at}Assign"))
