"""Time and chance, as one thing that tests can replace."""

from __future__ import annotations

import asyncio
import random
import re
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


class Clock(Protocol):
    """What the engine asks of time and chance."""

    def now(self) -> float:
        """Seconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""

    def jitter(self, seconds: float) -> float:
        """A delay between nothing and `seconds`."""


class SystemClock:
    """The real ones."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)

    def jitter(self, seconds: float) -> float:
        """A delay between nothing and `seconds`."""
        return random.uniform(0, seconds)  # noqa: S311  # spreads retries, guards nothing


def timestamp(seconds: float) -> str:
    """The time as AWS writes it.

    >>> timestamp(0.25)
    '1970-01-01T00:00:00.250Z'
    """
    second = int(seconds)
    millisecond = int((seconds - second) * 1000 + 0.0005)  # what a float loses is less than half a microsecond
    return (
        _second(second + 1) + _MILLISECONDS[0] if millisecond == 1000 else _second(second) + _MILLISECONDS[millisecond]
    )


_MILLISECONDS = [f".{number:03d}Z" for number in range(1000)]


@lru_cache(maxsize=1024)
def _second(second: int) -> str:
    """Cached, since much happens in one second."""
    return datetime.fromtimestamp(second, UTC).isoformat().removesuffix("+00:00")


def moment(text: str) -> datetime | None:
    """The time that a timestamp of the States Language says: RFC 3339, with an uppercase ``T`` and ``Z``.

    >>> moment("2001-09-09T03:46:40+02:00").timestamp()
    1000000000.0
    >>> moment("2001-02-30T00:00:00Z"), moment("tomorrow")
    (None, None)
    """
    try:
        return datetime.fromisoformat(text) if _TIMESTAMP.fullmatch(text) else None
    except ValueError:  # no such day or hour
        return None
