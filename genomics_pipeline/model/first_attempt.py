"""The resources of the first attempt at a stage over one item, where they differ from the step's.

They stand in the item, which the manifest of a run holds, but not in the payload of its tasks: outputs do not depend on
them, and neither does the name of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEMBER = "first_attempts"  # of an item, and of the execution's input for the cohort: an object by stage


@dataclass(frozen=True, slots=True)
class FirstAttempt:
    """The resources of a first attempt.

    Attributes:
        memory_mib: Its memory; the entries of the step's memory ladder that are larger follow.
        timeout_s: Its timeout; that of a retry is the step's.
    """

    memory_mib: int
    timeout_s: int

    def to_json(self) -> dict[str, int]:
        """Return the object that a definition reads."""
        return {"memory_mib": self.memory_mib, "timeout_s": self.timeout_s}


FirstAttempts = Mapping[str, FirstAttempt]  # by stage


def member_of(attempts: FirstAttempts) -> dict[str, Any]:
    """Return the member for an item; none where no stage has a first attempt of its own.

    >>> member_of({"align": FirstAttempt(1024, 600)})
    {'first_attempts': {'align': {'memory_mib': 1024, 'timeout_s': 600}}}
    """
    return {MEMBER: {stage: one.to_json() for stage, one in attempts.items()}} if attempts else {}


def without_first_attempts(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as its tasks receive it."""
    return {name: value for name, value in item.items() if name != MEMBER}


def ladder_above(memory_mib: int, ladder: Sequence[int]) -> tuple[int, ...]:
    """Return the memory of all attempts: of the first one, then the entries of a memory ladder that are larger.

    >>> ladder_above(1000, (2048, 4096)), ladder_above(3000, (2048, 4096))
    ((1000, 2048, 4096), (3000, 4096))
    """
    return (memory_mib, *(rung for rung in ladder if rung > memory_mib))
