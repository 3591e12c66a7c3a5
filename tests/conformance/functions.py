"""Functions that cases name in ``tasks``, for the option ``--task``."""

from __future__ import annotations

import asyncio
from typing import Any


class OutOfMemory(Exception):
    """An error with a name of its own."""


def echo(event: Any, _: Any) -> Any:
    """Return the event."""
    return event


def raise_error(event: Any, _: Any) -> Any:
    """Raise an error with the event's message."""
    raise OutOfMemory(event["message"])


def fail_until(event: Any, _: Any) -> Any:
    """Raise an error until the attempt that the event names."""
    if event["attempt"] < event["succeeds"]:
        raise OutOfMemory(f"attempt {event['attempt']}")
    return {"attempt": event["attempt"]}


def large_text(event: Any, _: Any) -> str:
    """Return a text with the event's number of characters."""
    return "x" * int(event["characters"])


async def wait_forever(_: Any, __: Any) -> None:
    """Run until cancelled."""

    await asyncio.Event().wait()


def succeed_by_token(event: Any, context: Any) -> str:
    """Complete the task of the event's token; the value that is returned is ignored."""
    context.callbacks.succeed(event["token"], {"given": event["value"]})
    return "unseen"


def fail_by_token(event: Any, context: Any) -> None:
    """Fail the task of the event's token."""
    context.callbacks.fail(event["token"], "Refused", event["value"])


def ignore_token(_: Any, __: Any) -> None:
    """Return without ending the task of the token."""


def lambda_name(_: Any, context: Any) -> dict[str, str]:
    """Return the name and version by which the function was invoked."""
    return {"name": context.function_name, "version": context.function_version}
