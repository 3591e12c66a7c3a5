"""The data that paths and intrinsic functions refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.language.host import NO_HOST, Host
from genomics_pipeline.language.size_budget import SizeBudget


@dataclass(frozen=True, slots=True)
class PathScope:
    """The data that paths refer to.

    Attributes:
        value: The value of ``$``.
        context: Builds the context object, ``$$``; called only for a path that starts with it.
        variables: The variables, ``$name``, by name.
        host: The source of random numbers and UUIDs.
        budget: The size of what was found so far.
    """

    value: Any
    context: Callable[[], Mapping[str, Any]] = dict
    variables: Mapping[str, Any] = field(default_factory=dict)
    host: Host = NO_HOST
    budget: SizeBudget = field(default_factory=SizeBudget)
