"""The engine's source of time and randomness, which tests replace."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Protocol


class Clock(Protocol):
    """The current time, delays, and the jitter of retries."""

    def now(self) -> float:
        """Return the time in seconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds."""

    def jitter(self, seconds: float) -> float:
        """Return a random delay between 0 and `seconds`."""


class SystemClock:
    """The system's clock and random numbers."""

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds."""
        await asyncio.sleep(seconds)

    def jitter(self, seconds: float) -> float:
        """Return a random delay between 0 and `seconds`."""
        return random.uniform(0, seconds)  # noqa: S311  # spreads retries; not used for security
