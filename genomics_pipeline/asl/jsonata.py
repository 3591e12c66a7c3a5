"""JSONata as text: what a document's strings ``{% … %}`` are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_WORDS = frozenset({"true", "false", "null", "function", "and", "or", "in"})  # JSONata may not take them as names


def expression(text: str) -> str:
    """A field's value that is evaluated.

    >>> expression("$states.input")
    '{% $states.input %}'
    """
    return f"{{% {text} %}}"


def member(of: str, name: str) -> str:
    """A member of an object, by a name of letters, digits and ``_``.

    >>> member("$states.input", "run"), member("$states.input", "true")
    ('$states.input.run', '$states.input.`true`')
    """
    return f"{of}.`{name}`" if name in _WORDS else f"{of}.{name}"


def literal(value: Any) -> str:
    """A JSON value in JSONata, where JSON text means itself.

    >>> literal({"publish": "preprocessing/{sample}"})
    '{"publish":"preprocessing/{sample}"}'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def constructor(members: Mapping[str, str]) -> str:
    """An object whose members are expressions.

    >>> constructor({"run": "$states.input.run"})
    '{"run":$states.input.run}'
    """
    return "{" + ",".join(f"{literal(name)}:{text}" for name, text in members.items()) + "}"
