"""What a JSONata expression reads that Step Functions does not offer.

An expression has no context item: its input is ``$states.input``, its variables are ``$name``. A name that reads the
context item is refused by AWS when the state machine is created, and so are ``$``, ``$$``, and ``$states.errorOutput``
outside a catcher: measured with ValidateStateMachineDefinition, floci-io/floci pull requests 2699 and 2786.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# The nodes of each type that see the same context item as the expression itself. What follows a path's first step, a
# predicate or an order sees the step's value instead.
_SEEING = {
    "binary": ("lhs", "rhs"),
    "apply": ("lhs", "rhs"),
    "function": ("procedure", "arguments"),
    "partial": ("procedure", "arguments"),
    "lambda": ("body",),
    "condition": ("condition", "then", "_else"),
    "block": ("expressions",),
    "bind": ("rhs",),
    "unary": ("expression", "expressions", "lhs_object"),
}


def unsupported_references(root: Any) -> Iterator[str]:
    """What is wrong with the expression, in AWS's words, each once.

    Args:
        root: The expression as `jsonata.parser` reads it.
    """
    seen = set()
    for message in _messages(root):
        if message not in seen:
            seen.add(message)
            yield message


def _messages(root: Any) -> Iterator[str]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list | tuple):
            waiting.extend(reversed(node))
            continue
        kind = getattr(node, "type", None)
        if kind == "path":
            if [step.value for step in node.steps[:2]] == ["states", "errorOutput"]:
                yield "Field '$states.errorOutput' does not exist."
            waiting.append(node.steps[0])
        elif kind == "name":
            yield f"Reference to '{node.value}' at the top level is not supported."
        elif kind == "variable" and node.value == "":
            yield "Reference to '$' at the top level is not supported."
        elif kind == "variable" and node.value == "$":
            yield "Reference to '$$' is not supported."
        else:
            parts = [getattr(node, part, None) for part in _SEEING.get(str(kind), ())]
            waiting.extend(part for part in reversed(parts) if part is not None)
