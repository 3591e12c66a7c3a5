"""The request for a redrive, and its outcome."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RedriveRequest:
    """The consequences of a redrive that a user accepts.

    Attributes:
        keep_definition: Whether the run may continue with its own definition although another is deployed.
        all_items: Whether AWS may start another Map Run over all items.
    """

    keep_definition: bool = False
    all_items: bool = False


@dataclass(frozen=True, slots=True)
class RedriveOutcome:
    """The outcome of a redrive.

    Attributes:
        run: The name of the run.
        status: The status of its newest execution; UNKNOWN where AWS has no record of it.
        redriven: Whether the execution was redriven.
        redrive_count: The number of redrives of the execution so far.
        redrive_date: The time of the redrive, ISO 8601; None where it was not redriven.
        reason: The reason for a refusal, for programs: SUCCEEDED, RUNNING, GONE, TOO_OLD, TOO_LONG_OPEN, HISTORY,
            ALL_ITEMS, FAIL_STATE, DEFINITION or OTHER.
        message: The reason for a refusal, for people.
        rerun: The command for a rerun instead; None where that would not help.
    """

    run: str
    status: str
    redriven: bool = False
    redrive_count: int = 0
    redrive_date: str | None = None
    reason: str | None = None
    message: str | None = None
    rerun: str | None = None
