"""Credentials stay with the worker: the programs of steps get none, and cannot read them from its process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

# Variables of AWS's tools and of the ECS agent name credentials, the places that give them, and servers with passwords
# in their URLs. A program may know where and as which job it runs.
_OF_AWS = ("AWS_", "ECS_")
_HARMLESS = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_BATCH_")
_PR_SET_DUMPABLE = 4  # prctl(2)


def without_credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a step's program gets.

    >>> without_credentials({"PATH": "/bin", "AWS_REGION": "eu-central-1", "AWS_SESSION_TOKEN": "secret"})
    {'PATH': '/bin', 'AWS_REGION': 'eu-central-1'}
    """
    return {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith(_OF_AWS) or name.startswith(_HARMLESS)
    }


def hide_process() -> None:
    """Make the environment and the memory of this process, and of its copies, unreadable for others of the same user.

    Programs that it starts are not affected. On other systems than Linux it does nothing.
    """
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
