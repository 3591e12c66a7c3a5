"""Time and chance, as one thing that tests can replace."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Protocol


class Clock(Protocol):
    """The engine's time, and the jitter of its retries."""

    def now(self) -> float:
        """Seconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""

    def jitter(self, seconds: float) -> float:
        """Return a delay between nothing and `seconds`."""


class SystemClock:
    """The real ones."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)

    def jitter(self, seconds: float) -> float:
        """Return a delay between nothing and `seconds`."""
        return random.uniform(0, seconds)  # noqa: S311  # spreads retries, guards nothing
