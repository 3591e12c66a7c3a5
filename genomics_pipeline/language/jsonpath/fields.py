"""The fields of a JSONPath state: InputPath, Parameters, ResultSelector, ResultPath, OutputPath, Assign, ``…Path``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.language.jsonpath import choice_rule, intrinsics, path, path_fields
from genomics_pipeline.language.jsonpath.payload_template import fill
from genomics_pipeline.language.jsonpath.reference_path import put
from genomics_pipeline.language.jsonpath.scope import PathScope
from genomics_pipeline.language.query_language import Node, Outcome, StateScope
from genomics_pipeline.language.variables import assign


class JsonPathFields:
    """The query language JSONPath; an implementation of `query_language.QueryLanguage`. Literals are not evaluated."""

    def input(self, scope: StateScope) -> Any:
        """Return ``InputPath`` of the state's input; null gives an empty object."""
        return _selected(scope.state, "InputPath", _paths(scope, scope.raw))

    def arguments(self, scope: StateScope, node: Node, prefix: str, default: Any) -> Any:
        """Return the value of ``Parameters``, over the effective input."""
        if "Parameters" not in node:
            return default
        return fill(node["Parameters"], _paths(scope, scope.input), f"{prefix}Parameters")

    def field(self, scope: StateScope, node: Node, name: str, prefix: str, default: Any) -> Any:
        """Return the field as it stands, or what its ``…Path`` leads to, which must be of the field's kind."""
        text = node.get(f"{name}Path")
        if text is None:
            return node.get(name, default)
        paths = _paths(scope, scope.input)
        if name in path_fields.TEXTS and intrinsics.is_intrinsic(text):
            value = intrinsics.evaluate(text, paths, f"{name}Path")
        else:
            value = path.find(text, paths, f"{prefix}{name}Path")
        return path_fields.checked(name, text, value)

    def template(self, scope: StateScope, value: Any, field: str, item: Node | None) -> Any:
        """Return the value of a payload template, over the effective input."""
        return fill(value, _paths(scope, scope.input, item), field)

    def items(self, scope: StateScope) -> Any:
        """Return ``ItemsPath`` of the effective input, or that itself; only an array will do."""
        text = scope.state.get("ItemsPath", "$")
        return path_fields.checked("Items", text, path.find(text, _paths(scope, scope.input), "ItemsPath"))

    def condition(self, scope: StateScope, rule: Node, prefix: str) -> bool:
        """Return whether ``Variable`` and its comparison match, or ``And``, ``Or``, ``Not``."""
        return choice_rule.matches(rule, _paths(scope, scope.input), prefix)

    def passed(self, scope: StateScope, node: Node, prefix: str) -> Outcome:
        """Evaluate ``Result`` or ``Parameters`` of a Pass, and its ``ResultPath``; ``OutputPath`` and ``Assign``."""
        if scope.state["Type"] != "Pass":
            return _after(scope, scope.input, scope.input, node, prefix)
        result = self.arguments(scope, scope.state, prefix, scope.input)
        if scope.state.get("Result") is not None:  # AWS takes a null Result for none
            result = scope.state["Result"]
        return _after(scope, _with_result(scope, result, node), result, node, prefix)

    def finished(self, scope: StateScope, result: Any) -> Outcome:
        """Evaluate ``ResultSelector``, then ``ResultPath`` into the input, then ``OutputPath``; ``Assign``."""
        if "ResultSelector" in scope.state:
            result = fill(scope.state["ResultSelector"], _paths(scope, result), "ResultSelector")
        return _after(scope, _with_result(scope, result, scope.state), result, scope.state, "")

    def caught(self, scope: StateScope, error: dict[str, str], node: Node, prefix: str) -> Outcome:
        """Evaluate ``ResultPath`` of a catcher, into the state's input, and its ``Assign``."""
        return _with_result(scope, error, node), _assigned(scope, error, node, prefix)


def _paths(scope: StateScope, value: Any, item: Node | None = None) -> PathScope:
    return PathScope(value, lambda: scope.context(item), scope.variables, scope.host)


def _selected(node: Node, name: str, paths: PathScope) -> Any:
    """Return what InputPath or OutputPath leaves."""
    text = node.get(name, "$")
    return {} if text is None else path.find(text, paths, name)


def _with_result(scope: StateScope, result: Any, node: Node) -> Any:
    """Return the state's input with the result at ``ResultPath``, which is all of it unless the node says otherwise."""
    text = node.get("ResultPath", "$")
    return scope.raw if text is None else put(text, scope.raw, result)


def _after(scope: StateScope, output: Any, result: Any, node: Node, prefix: str) -> Outcome:
    """Evaluate OutputPath and Assign, neither of which sees what the other makes."""
    return _selected(scope.state, "OutputPath", _paths(scope, output)), _assigned(scope, result, node, prefix)


def _assigned(scope: StateScope, value: Any, node: Node, prefix: str) -> Mapping[str, Any]:
    """Return the variables after ``Assign``, whose ``$`` is the result, or the effective input, or the error."""
    if "Assign" not in node:
        return scope.variables
    return assign(scope.name, scope.variables, fill(node["Assign"], _paths(scope, value), f"{prefix}Assign"))
