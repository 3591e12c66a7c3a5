"""Timestamps of the States Language: RFC 3339, with an uppercase ``T`` and ``Z``."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_MILLISECONDS = [f".{number:03d}Z" for number in range(1000)]


def format_timestamp(seconds: float) -> str:
    """Return a time, in seconds since the epoch, as AWS writes it.

    >>> format_timestamp(0.25)
    '1970-01-01T00:00:00.250Z'
    """
    second = int(seconds)
    millisecond = int((seconds - second) * 1000 + 0.0005)  # a float is less than half a microsecond too small
    if millisecond == 1000:
        return _format_second(second + 1) + _MILLISECONDS[0]
    return _format_second(second) + _MILLISECONDS[millisecond]


@lru_cache(maxsize=1024)  # many events share a second
def _format_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat().removesuffix("+00:00")


def parse_timestamp(text: str) -> datetime | None:
    """Return the time that a timestamp denotes, or None if the text is not a timestamp.

    >>> parse_timestamp("2001-09-09T03:46:40+02:00").timestamp()
    1000000000.0
    >>> parse_timestamp("2001-02-30T00:00:00Z"), parse_timestamp("tomorrow")
    (None, None)
    """
    try:
        return datetime.fromisoformat(text) if _TIMESTAMP.fullmatch(text) else None
    except ValueError:  # no such day or hour
        return None
