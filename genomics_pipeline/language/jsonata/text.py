"""JSONata as text: the strings ``{% … %}`` of a document, and what they are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

OPEN, CLOSE = "{%", "%}"
WORDS = frozenset({"true", "false", "null", "function", "and", "or", "in"})  # no names without backticks


def is_expression(value: Any) -> bool:
    """Return whether a value of a document is an expression.

    >>> is_expression("{% 1 %}"), is_expression(" {% 1 %}")
    (True, False)
    """
    return (
        isinstance(value, str) and value.startswith(OPEN) and value.endswith(CLOSE) and len(value) >= len(OPEN + CLOSE)
    )


def text_of(template: str) -> str:
    """Return the expression in a string of a document.

    >>> text_of("{% 1 + 1 %}")
    '1 + 1'
    """
    return template[len(OPEN) : -len(CLOSE)].strip()


def expression(text: str) -> str:
    """Return the string of a document that holds an expression.

    >>> expression("$states.input")
    '{% $states.input %}'
    """
    return f"{OPEN} {text} {CLOSE}"


def member(of: str, name: str) -> str:
    """Return a member of an object, by a name of letters, digits and ``_``.

    >>> member("$states.input", "run"), member("$states.input", "true")
    ('$states.input.run', '$states.input.`true`')
    """
    return f"{of}.`{name}`" if name in WORDS else f"{of}.{name}"


def literal(value: Any) -> str:
    """Return a JSON value in JSONata, where JSON text means itself.

    >>> literal({"publish": "preprocessing/{sample}"})
    '{"publish":"preprocessing/{sample}"}'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def constructor(members: Mapping[str, str]) -> str:
    """Return an object whose members are expressions.

    >>> constructor({"run": "$states.input.run"})
    '{"run":$states.input.run}'
    """
    return "{" + ",".join(f"{literal(name)}:{text}" for name, text in members.items()) + "}"
