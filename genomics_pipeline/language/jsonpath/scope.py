"""What a path sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Scope:
    """What a path sees.

    Attributes:
        value: ``$``.
        context: Makes ``$$``, the context object; called only by a path that asks for it.
        variables: ``$name``, by name.
    """

    value: Any
    context: Callable[[], Mapping[str, Any]]
    variables: Mapping[str, Any]
