"""Why a step failed, as a class that decides what happens next."""

from __future__ import annotations

from enum import StrEnum


class FailureClass(StrEnum):
    """The class of a step's failure."""

    BAD_INPUT = "bad_input"
    TOOL_ERROR = "tool_error"
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_DISK = "out_of_disk"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
