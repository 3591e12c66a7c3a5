"""Why a step failed, as a class that decides what happens next."""

from __future__ import annotations

from enum import StrEnum


class FailureClass(StrEnum):
    """The class of a step's failure."""

    HOST_LOST = "host_lost"  # Spot reclaimed, or the host gone
    IMAGE = "image"  # the container never began: image, agent, engine
    THROTTLED = "throttled"
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_DISK = "out_of_disk"
    TIMEOUT = "timeout"
    BAD_INPUT = "bad_input"
    TOOL_ERROR = "tool_error"
    CANCELLED = "cancelled"
    AWS_LIMIT = "aws_limit"
    UNKNOWN = "unknown"
