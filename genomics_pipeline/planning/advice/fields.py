"""Fields of states, read without trust in their types: a definition may be wrong and still be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.language.query_language import Node
from genomics_pipeline.language.walker import StateNode

_DEFAULT_ATTEMPTS = 3  # MaxAttempts, where a retrier has none
PLACEHOLDER = "${"  # of CloudFormation's DefinitionSubstitutions, of SAM and of Terraform


def objects(node: Node, field: str) -> Iterator[tuple[int, Node]]:
    """Yield number and entry of an array field, those that are objects."""
    entries = node.get(field)
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, Mapping):
            yield number, entry


def member(node: Node, *names: str) -> Node:
    """Return an object inside objects; empty where one of them is missing."""
    for name in names:
        inner = node.get(name)
        node = inner if isinstance(inner, Mapping) else {}
    return node


def error_names(entry: Node) -> list[str]:
    """Return the ErrorEquals of a retrier or catcher."""
    names = entry.get("ErrorEquals")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def number(node: Node, field: str) -> float | None:
    """Return a literal number; None for an expression, or if the field is missing."""
    value = node.get(field)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def has(node: Node, field: str) -> bool:
    """Return whether a field is there, as a literal, as an expression, or as a path: ``TimeoutSecondsPath``."""
    return field in node or f"{field}Path" in node or f"{field}.$" in node


def retriers(state: StateNode) -> Iterator[tuple[int, Node]]:
    """Yield number and object of each retrier that retries."""
    return ((place, entry) for place, entry in objects(state.node, "Retry") if attempts(entry) != 0)


def attempts(retrier: Node) -> float:
    """Return the MaxAttempts of a retrier; infinity for an expression."""
    if "MaxAttempts" not in retrier:
        return _DEFAULT_ATTEMPTS
    literal = number(retrier, "MaxAttempts")
    return float("inf") if literal is None else literal


def arguments(state: StateNode) -> Node:
    """Return the Arguments or Parameters of a Task; empty if they are not an object."""
    return member(state.node, "Arguments") or member(state.node, "Parameters")


def is_expression(key: str, value: Any) -> bool:
    """Return whether a member is evaluated, or put in by a tool that deploys the definition."""
    text = value if isinstance(value, str) else ""
    return key.endswith(".$") or text.lstrip().startswith("{%") or PLACEHOLDER in text


def values(node: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield path, key and value of every member and element below a node, in the document's order.

    The key of an element is that of its array.
    """
    waiting: list[tuple[str, str, Any]] = [(path, "", node)]
    while waiting:
        place, key, value = waiting.pop()
        yield place, key, value
        if isinstance(value, Mapping):
            waiting.extend((f"{place}/{name}", name, inner) for name, inner in reversed(list(value.items())))
        elif isinstance(value, list):
            waiting.extend((f"{place}[{index}]", key, inner) for index, inner in reversed(list(enumerate(value))))
