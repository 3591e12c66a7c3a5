"""What an expression names outside itself: for AWS's checks of a definition before it runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from jsonata.parser import Parser

from genomics_pipeline.engine.jsonata.functions import bindings
from genomics_pipeline.engine.jsonata.syntax_tree import parsed

_CHILDREN = ("lhs", "rhs", "expression", "procedure", "body", "condition", "then", "_else", "next_function")
_OF_CONTEXT = ("expr", "pattern", "update", "delete")  # evaluated over what stands before them


@dataclass(slots=True)
class References:
    """Names, in the order they are written.

    Attributes:
        variables: Workflow variables, without the dollar; the language's functions are none.
        states: Members of ``$states``.
        context: Names, ``$`` and ``$$`` that would read a context value, of which there is none.
    """

    variables: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    context: list[str] = field(default_factory=list)


def references(text: str) -> References:
    """What an expression of right syntax names.

    >>> references("$states.input.a[b > $limit] & c")
    References(variables=['limit'], states=['input'], context=['c'])

    Raises:
        JException: Syntax error.
    """
    found = References()
    _Walk(found).node(parsed(text), True, frozenset(bindings()))
    return found


def unsupported(text: str, states: Iterable[str]) -> list[str]:
    """What AWS refuses of an expression as ``UNSUPPORTED_JSONATA_EXPRESSION``, in its words.

    Measured with ValidateStateMachineDefinition: floci-io/floci,
    StepFunctionsValidateStateMachineDefinitionIntegrationTest.java; gabrielmoreira/tiny-asl-machine,
    Feature.JSONataValidation-002.

    >>> unsupported("$states.result.a & b & $$", ["input", "context"])
    ["Field '$states.result' does not exist.", "Reference to 'b' at the top level is not supported.", \
"Reference to '$$' is not supported."]

    Args:
        text: The expression.
        states: The members that ``$states`` has where it stands.
    """
    found = references(text)
    fields = [f"Field '$states.{name}' does not exist." for name in found.states if name not in states]
    return fields + [
        f"Reference to '{name}' " + ("is not supported." if name == "$$" else "at the top level is not supported.")
        for name in found.context
    ]


class _Walk:
    def __init__(self, found: References) -> None:
        self._found = found

    def node(self, node: Any, top: bool, bound: frozenset[str]) -> frozenset[str]:
        """Walk a node; the names that are bound after it."""
        if not isinstance(node, Parser.Symbol):
            return bound
        if node.type == "path":
            return self._path(node, top, bound)
        if node.type == "variable":
            self._variable(str(node.value), top, bound)
        elif node.type == "name" and top:
            _add(self._found.context, str(node.value))
        elif node.type == "bind":
            name = str(node.lhs.value)
            self.node(node.rhs, top, bound | {name} if node.rhs.type == "lambda" else bound)
            return bound | {name}
        elif node.type == "block":
            inner = bound
            for expression in node.expressions:
                inner = self.node(expression, top, inner)
        else:
            self._inside(node, top, bound)
        self._over_context(node, bound)
        return bound

    def _inside(self, node: Any, top: bool, bound: frozenset[str]) -> None:
        if node.type == "lambda":
            bound |= {str(argument.value) for argument in node.arguments}
        for name in _CHILDREN:
            self.node(getattr(node, name, None), top, bound)
        inner = [*(node.expressions or ())] + ([] if node.type == "lambda" else [*(node.arguments or ())])
        if node.type == "unary":  # an object's keys and values
            inner += [one for pair in node.lhs_object or () for one in pair]
        for one in inner:
            self.node(one, top, bound)

    def _path(self, node: Any, top: bool, bound: frozenset[str]) -> frozenset[str]:
        first, *rest = node.steps
        if first.type == "variable" and first.value == "states" and rest and rest[0].type == "name":
            _add(self._found.states, str(rest[0].value))
        for step in node.steps:
            inner = self.node(step, top and step is first, bound)
            bound = inner | {str(name) for name in (step.focus, step.index) if isinstance(name, str)}
        self._over_context(node, bound)
        return bound

    def _over_context(self, node: Any, bound: frozenset[str]) -> None:
        stages = [*(node.predicate or ()), *(node.stages or ()), *(getattr(node, "terms", None) or ())]
        for stage in stages:
            self.node(getattr(stage, "expression", None) if stage.type is None else stage.expr, False, bound)
        for name in _OF_CONTEXT:
            self.node(getattr(node, name, None), False, bound)
        for pair in (node.group.lhs_object or ()) if node.group is not None else ():
            for one in pair:
                self.node(one, False, bound)

    def _variable(self, name: str, top: bool, bound: frozenset[str]) -> None:
        if name == "$" or (not name and top):
            _add(self._found.context, f"${name}")
        elif name and name != "states" and name not in bound:
            _add(self._found.variables, name)


def _add(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)
