"""Why a step failed, as a class that decides what happens next."""

from __future__ import annotations

from enum import StrEnum


class FailureClass(StrEnum):
    """The class of a step's failure; what is done about each: docs/failures.md."""

    HOST_LOST = "host_lost"  # Spot reclaimed, or the host gone
    IMAGE = "image"  # the container never began, or nobody knows how it ended: image, agent, engine
    THROTTLED = "throttled"  # Batch did not take the job: too many requests, or a fault of its own
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_DISK = "out_of_disk"
    TIMEOUT = "timeout"
    BAD_INPUT = "bad_input"  # no try will ever do
    TOOL_ERROR = "tool_error"
    CANCELLED = "cancelled"
    AWS_LIMIT = "aws_limit"  # a quota, or more than AWS or the stack has: payloads, hosts
    UNKNOWN = "unknown"  # nothing that is known, or what is wrong with the deployment rather than with a step
