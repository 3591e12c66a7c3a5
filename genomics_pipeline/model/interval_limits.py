"""The limits of an interval of the reference."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IntervalLimits:
    """The limits of one interval; a single region may exceed `text_bytes`.

    Attributes:
        bases: The most bases of its regions.
        text_bytes: The most bytes of its item as JSON text: thousands of short contigs have few bases, but their names
            must fit into the payload of a task.
    """

    bases: int
    text_bytes: int
