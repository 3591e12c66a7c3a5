"""The data that paths and intrinsic functions are evaluated over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.language.host import NO_HOST, Host


@dataclass(frozen=True, slots=True)
class PathScope:
    """Data that paths are evaluated over.

    Attributes:
        value: ``$``.
        context: Makes ``$$``, the context object; called only for a path that begins there.
        variables: ``$name``, by name.
        host: The source of time and chance.
    """

    value: Any
    context: Callable[[], Mapping[str, Any]] = dict
    variables: Mapping[str, Any] = field(default_factory=dict)
    host: Host = NO_HOST
