"""``TimeoutSeconds`` and ``HeartbeatSeconds`` around one attempt of a task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from genomics_pipeline.language.errors import HEARTBEAT_TIMEOUT, TIMEOUT, StatesError


@asynccontextmanager
async def timeouts(timeout_s: float | None, heartbeat_s: float | None) -> AsyncIterator[Callable[[], None]]:
    """End the work inside when its time is over, or when it has not been heard of for too long.

    Both are States.Timeout without a cause, as recorded on AWS; a missed heartbeat can also be caught by the name
    States.HeartbeatTimeout.

    Yields:
        What the work calls to be heard of, from any thread.

    Raises:
        StatesError: ``States.Timeout``.
    """
    loop = asyncio.get_running_loop()
    whole, pulse = asyncio.timeout(timeout_s), asyncio.timeout(heartbeat_s)

    def again() -> None:
        if pulse.when() is not None and not pulse.expired():
            pulse.reschedule(loop.time() + (heartbeat_s or 0))

    try:
        async with whole, pulse:
            yield lambda: _heard(loop, again)
    except TimeoutError as error:
        if whole.expired():
            raise StatesError(TIMEOUT, None) from error
        if pulse.expired():
            raise StatesError(TIMEOUT, None, aliases=(HEARTBEAT_TIMEOUT,)) from error
        raise


def _heard(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(work)
