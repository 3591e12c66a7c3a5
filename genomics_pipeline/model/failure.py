"""The classes of failures; the class decides what happens next."""

from __future__ import annotations

from enum import StrEnum


class FailureClass(StrEnum):
    """The class of a step's failure. docs/failures.md describes what is done about each."""

    HOST_LOST = "host_lost"  # Spot reclaimed the host, or the host is gone
    IMAGE = "image"  # the container did not start, or its end is not known: image, ECS agent, container engine
    THROTTLED = "throttled"  # Batch did not accept the job: too many requests, or an error of the service
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_DISK = "out_of_disk"
    TIMEOUT = "timeout"
    ACCESS_DENIED = "access_denied"  # a role or a user lacks a right, or a bucket or key does not let it in
    BAD_INPUT = "bad_input"  # another attempt would fail in the same way
    TOOL_ERROR = "tool_error"
    CANCELLED = "cancelled"
    AWS_LIMIT = "aws_limit"  # a payload above a quota, or a job larger than any host of the stack
    UNKNOWN = "unknown"  # not recognised, or an error of the deployment and not of a step
