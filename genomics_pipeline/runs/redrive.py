"""Request and outcome of a redrive."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RedriveRequest:
    """The conditions that a user agrees to.

    Attributes:
        keep_definition: The run continues with its own definition although another one is deployed.
        all_items: A Map Run over all items may begin.
    """

    keep_definition: bool = False
    all_items: bool = False


@dataclass(frozen=True, slots=True)
class RedriveOutcome:
    """The outcome of a redrive.

    Attributes:
        run: The name of the run.
        status: The status of its newest execution; UNKNOWN where AWS has no record of it.
        redriven: Whether it was redriven.
        redrive_count: How many times it has been redriven.
        redrive_date: When, in ISO 8601; None where it was not redriven.
        reason: Why not, for programs: SUCCEEDED, RUNNING, GONE, TOO_OLD, TOO_LONG_OPEN, HISTORY, ALL_ITEMS,
            FAIL_STATE, DEFINITION or OTHER.
        message: Why not, for people.
        rerun: The command that helps instead, where one does.
    """

    run: str
    status: str
    redriven: bool = False
    redrive_count: int = 0
    redrive_date: str | None = None
    reason: str | None = None
    message: str | None = None
    rerun: str | None = None
