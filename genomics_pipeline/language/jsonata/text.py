"""JSONata source text: the strings ``{% … %}`` of a document, and the parts to build them from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

OPEN, CLOSE = "{%", "%}"
WORDS = frozenset({"true", "false", "null", "function", "and", "or", "in"})  # not usable as names without backticks


def is_expression(value: Any) -> bool:
    """Return whether a value in a document is an expression.

    >>> is_expression("{% 1 %}"), is_expression(" {% 1 %}")
    (True, False)
    """
    return (
        isinstance(value, str) and value.startswith(OPEN) and value.endswith(CLOSE) and len(value) >= len(OPEN + CLOSE)
    )


def unwrap_expression(template: str) -> str:
    """Return the source text of an expression in a document.

    >>> unwrap_expression("{% 1 + 1 %}")
    '1 + 1'
    """
    return template[len(OPEN) : -len(CLOSE)].strip()


def expression(text: str) -> str:
    """Return the string by which a document represents an expression.

    >>> expression("$states.input")
    '{% $states.input %}'
    """
    return f"{OPEN} {text} {CLOSE}"


def member(parent: str, name: str) -> str:
    """Return the source text of a member of an object; its name has only letters, digits and ``_``.

    >>> member("$states.input", "run"), member("$states.input", "true")
    ('$states.input.run', '$states.input.`true`')
    """
    return f"{parent}.`{name}`" if name in WORDS else f"{parent}.{name}"


def literal(value: Any) -> str:
    """Return the source text of a JSON value, which is its JSON text.

    >>> literal({"publish": "preprocessing/{sample}"})
    '{"publish":"preprocessing/{sample}"}'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def constructor(members: Mapping[str, str]) -> str:
    """Return the source text of an object from those of its members.

    >>> constructor({"run": "$states.input.run"})
    '{"run":$states.input.run}'
    """
    return "{" + ",".join(f"{literal(name)}:{text}" for name, text in members.items()) + "}"
