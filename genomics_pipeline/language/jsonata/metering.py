"""The work that may be done in the process of the engine; an expression that needs more is evaluated apart.

An expression is first evaluated where it is, with few steps over little data, which is faster than to send it away and
enough for nearly all. What one step costs is bounded by the size of its data, so the data is measured before functions
of the library, which do not count their steps, see it. A value may be far larger than its memory, because parts of it
may be the same object: the measure counts these each time, and ends when it is exceeded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from genomics_pipeline.language.evaluation import TooCostly

STEPS = 3_000  # evaluations of nodes of the syntax tree
LENGTH = 1_000  # members of a list
TEXT = 30_000  # characters of a text
_WEIGHT = 20_000  # values, counted whenever a function sees them
_CHARACTERS = 64  # as costly as a value


class Meter:
    """The rest of the work that an evaluation may do in the process of the engine."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = _WEIGHT

    def weigh(self, *values: Any) -> None:
        """Count the parts of values.

        Raises:
            TooCostly: if there are more than are left.
        """
        left = self._left - len(values)
        stack: list[Iterable[Any]] = [values]
        while stack:
            for value in stack.pop():
                if isinstance(value, str):
                    left -= len(value) // _CHARACTERS
                elif isinstance(value, dict | list):
                    left -= len(value)
                    if left < 0:
                        raise TooCostly
                    stack.append(value.values() if isinstance(value, dict) else value)
        if left < 0:
            raise TooCostly
        self._left = left
