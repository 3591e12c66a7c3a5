"""Functions that cases name in ``tasks``: what an execution is given by ``--task``."""

from __future__ import annotations

import asyncio
from typing import Any


class OutOfMemory(Exception):
    """An error with a name of its own, as a function may raise."""


def echo(event: Any, _: Any) -> Any:
    """What it is given."""
    return event


def raises(event: Any, _: Any) -> Any:
    """An error whose message is the event's."""
    raise OutOfMemory(event["message"])


def fails_until(event: Any, _: Any) -> Any:
    """An error until the attempt that the event asks for."""
    if event["attempt"] < event["succeeds"]:
        raise OutOfMemory(f"attempt {event['attempt']}")
    return {"attempt": event["attempt"]}


def large(event: Any, _: Any) -> str:
    """A text of so many characters."""
    return "x" * int(event["characters"])


async def never(_: Any, __: Any) -> None:
    """No end, of itself."""

    await asyncio.Event().wait()


def succeeds_by_token(event: Any, context: Any) -> str:
    """End the task that the event's token is for, then answer what nobody sees."""
    context.callbacks.succeed(event["token"], {"given": event["value"]})
    return "unseen"


def fails_by_token(event: Any, context: Any) -> None:
    """Fail the task that the event's token is for."""
    context.callbacks.fail(event["token"], "Refused", event["value"])


def forgets_token(_: Any, __: Any) -> None:
    """Nobody ends the task."""


def name_of_lambda(_: Any, context: Any) -> dict[str, str]:
    """How the function was called."""
    return {"name": context.function_name, "version": context.function_version}
