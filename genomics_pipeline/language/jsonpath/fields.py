"""Fields of a JSONPath state: InputPath, Parameters, ResultSelector, ResultPath, OutputPath, Assign, ``…Path``."""

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
        """Return the value of ``InputPath`` in the state's input; an empty object for null."""
        return _select(scope.state, "InputPath", _path_scope(scope, scope.raw))

    def arguments(self, scope: StateScope, node: Node, prefix: str, default: Any) -> Any:
        """Return the value of ``Parameters``, evaluated over the effective input."""
        if "Parameters" not in node:
            return default
        return fill(node["Parameters"], _path_scope(scope, scope.input), f"{prefix}Parameters")

    def field(self, scope: StateScope, node: Node, name: str, prefix: str, default: Any) -> Any:
        """Return the literal field, or the value of its ``…Path``, which must be of the field's type."""
        text = node.get(f"{name}Path")
        if text is None:
            return node.get(name, default)
        paths = _path_scope(scope, scope.input)
        if name in path_fields.TEXTS and intrinsics.is_intrinsic(text):
            value = intrinsics.evaluate(text, paths, f"{name}Path")
        else:
            value = path.find(text, paths, f"{prefix}{name}Path")
        return path_fields.coerce(name, text, value)

    def template(self, scope: StateScope, value: Any, field: str, item: Node | None) -> Any:
        """Return the value of a payload template, evaluated over the effective input."""
        return fill(value, _path_scope(scope, scope.input, item), field)

    def items(self, scope: StateScope) -> Any:
        """Return the value of ``ItemsPath``, or the effective input; either must be an array or an object."""
        text = scope.state.get("ItemsPath", "$")
        return path_fields.coerce("Items", text, path.find(text, _path_scope(scope, scope.input), "ItemsPath"))

    def condition(self, scope: StateScope, rule: Node, prefix: str) -> bool:
        """Return whether a Choice rule matches."""
        return choice_rule.matches(rule, _path_scope(scope, scope.input), prefix)

    def outcome_without_result(self, scope: StateScope, node: Node, prefix: str) -> Outcome:
        """Evaluate ``Result`` or ``Parameters`` and ``ResultPath`` of a Pass; of all, ``OutputPath`` and ``Assign``."""
        if scope.state["Type"] != "Pass":
            return _outcome(scope, scope.input, scope.input, node, prefix)
        result = self.arguments(scope, scope.state, prefix, scope.input)
        if scope.state.get("Result") is not None:  # AWS treats a null Result as absent
            result = scope.state["Result"]
        return _outcome(scope, _place_result(scope, result, node), result, node, prefix)

    def outcome_with_result(self, scope: StateScope, result: Any) -> Outcome:
        """Evaluate ``ResultSelector``, ``ResultPath`` and ``OutputPath``, in this order, and ``Assign``."""
        if "ResultSelector" in scope.state:
            result = fill(scope.state["ResultSelector"], _path_scope(scope, result), "ResultSelector")
        return _outcome(scope, _place_result(scope, result, scope.state), result, scope.state, "")

    def outcome_of_catcher(self, scope: StateScope, error: dict[str, str], node: Node, prefix: str) -> Outcome:
        """Evaluate ``ResultPath`` of a catcher, which writes into the state's input, and its ``Assign``."""
        return _place_result(scope, error, node), _variables_after(scope, error, node, prefix)


def _path_scope(scope: StateScope, value: Any, item: Node | None = None) -> PathScope:
    return PathScope(value, lambda: scope.context(item), scope.variables, scope.host)


def _select(node: Node, name: str, paths: PathScope) -> Any:
    """Return the value of InputPath or OutputPath."""
    text = node.get(name, "$")
    return {} if text is None else path.find(text, paths, name)


def _place_result(scope: StateScope, result: Any, node: Node) -> Any:
    """Return the state's input with the result at ``ResultPath``, by default the result alone."""
    text = node.get("ResultPath", "$")
    return scope.raw if text is None else put(text, scope.raw, result)


def _outcome(scope: StateScope, output: Any, result: Any, node: Node, prefix: str) -> Outcome:
    """Evaluate OutputPath and Assign, neither of which depends on the other."""
    return _select(scope.state, "OutputPath", _path_scope(scope, output)), _variables_after(scope, result, node, prefix)


def _variables_after(scope: StateScope, value: Any, node: Node, prefix: str) -> Mapping[str, Any]:
    """Return the variables after ``Assign``, whose ``$`` is `value`: a result, effective input or error output."""
    if "Assign" not in node:
        return scope.variables
    return assign(scope.name, scope.variables, fill(node["Assign"], _path_scope(scope, value), f"{prefix}Assign"))
