"""``TimeoutSeconds`` and ``HeartbeatSeconds`` around one attempt of a task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from genomics_pipeline.language.errors import HEARTBEAT_TIMEOUT, TIMEOUT, StatesError


@asynccontextmanager
async def timeouts(timeout_s: float | None, heartbeat_s: float | None) -> AsyncIterator[Callable[[], None]]:
    """Cancel the block when its time is over, or when it sends no heartbeat for too long.

    Both cases are States.Timeout without a cause, as recorded on AWS; a catcher of States.HeartbeatTimeout matches a
    missed heartbeat too.

    Yields:
        A function that sends a heartbeat, from any thread.

    Raises:
        StatesError: ``States.Timeout``.
    """
    loop = asyncio.get_running_loop()
    total, heartbeat = asyncio.timeout(timeout_s), asyncio.timeout(heartbeat_s)

    def extend() -> None:
        if heartbeat.when() is not None and not heartbeat.expired():
            heartbeat.reschedule(loop.time() + (heartbeat_s or 0))

    def send_heartbeat() -> None:
        loop.call_soon_threadsafe(extend)

    try:
        async with total, heartbeat:
            yield send_heartbeat
    except TimeoutError as error:
        if total.expired():
            raise StatesError(TIMEOUT, None) from error
        if heartbeat.expired():
            raise StatesError(TIMEOUT, None, aliases=(HEARTBEAT_TIMEOUT,)) from error
        raise
