"""The check of an expression's references, which AWS makes before a definition runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from genomics_pipeline.language.jsonata.library import Parser
from genomics_pipeline.language.jsonata.syntax_tree import parse

_CHILDREN = ("lhs", "rhs", "expression", "procedure", "body", "condition", "then", "_else", "next_function")
_OF_CONTEXT = ("expr", "pattern", "update", "delete")  # evaluated over the value of the expression before them


def unsupported_references(text: str, states: Iterable[str]) -> list[str]:
    """Return the problems that AWS calls ``UNSUPPORTED_JSONATA_EXPRESSION``, in its words.

    An expression has no context value, so a name, ``$`` or ``$$`` that would read one is refused.

    Measured with ValidateStateMachineDefinition: floci-io/floci,
    StepFunctionsValidateStateMachineDefinitionIntegrationTest.java; gabrielmoreira/tiny-asl-machine,
    Feature.JSONataValidation-002.

    >>> unsupported_references("$states.result.a & b & $$", ["input", "context"])
    ["Field '$states.result' does not exist.", "Reference to 'b' at the top level is not supported.", \
"Reference to '$$' is not supported."]

    Args:
        text: The expression.
        states: The members that ``$states`` has in its field.

    Raises:
        JException: for a syntax error.
    """
    references = _References()
    references.node(parse(text), True)
    fields = [f"Field '$states.{name}' does not exist." for name in references.states if name not in states]
    return fields + [
        f"Reference to '{name}' " + ("is not supported." if name == "$$" else "at the top level is not supported.")
        for name in references.context
    ]


class _References:
    """The references of an expression, in the order of its text.

    Attributes:
        states: The members of ``$states`` that it reads.
        context: The names that would read a context value.
    """

    def __init__(self) -> None:
        self.states: dict[str, None] = {}
        self.context: dict[str, None] = {}

    def node(self, node: Any, top: bool) -> None:
        """Walk a node; at the top of an expression there is no context value."""
        if not isinstance(node, Parser.Symbol):
            return
        if node.type == "path":
            self._path(node, top)
        elif node.type == "variable":
            if node.value == "$" or (not node.value and top):
                self.context[f"${node.value}"] = None
        elif node.type == "name":
            if top:
                self.context[str(node.value)] = None
        else:
            self._inside(node, top)
        self._over_context(node)

    def _path(self, node: Any, top: bool) -> None:
        first, *rest = node.steps
        if first.type == "variable" and first.value == "states" and rest and rest[0].type == "name":
            self.states[str(rest[0].value)] = None
        for step in node.steps:
            self.node(step, top and step is first)

    def _inside(self, node: Any, top: bool) -> None:
        for name in _CHILDREN:
            self.node(getattr(node, name, None), top)
        inner = [*(node.expressions or ()), *(node.arguments or ())]
        if node.type == "unary":  # an object's keys and values
            inner += [child for pair in node.lhs_object or () for child in pair]
        for child in inner:
            self.node(child, top)

    def _over_context(self, node: Any) -> None:
        stages = [*(node.predicate or ()), *(node.stages or ()), *(getattr(node, "terms", None) or ())]
        for stage in stages:
            self.node(getattr(stage, "expression", None) if stage.type is None else stage.expr, False)
        for name in _OF_CONTEXT:
            self.node(getattr(node, name, None), False)
        for pair in (node.group.lhs_object or ()) if node.group is not None else ():
            for child in pair:
                self.node(child, False)
