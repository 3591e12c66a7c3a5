"""Durations in words."""

from __future__ import annotations


def short_duration(seconds: float) -> str:
    """Return a duration in words, with tenths where it is short.

    >>> short_duration(0.42), short_duration(61)
    ('0.4 s', '1 min 01 s')
    """
    return f"{seconds:.1f} s" if seconds < 9.95 else duration(seconds)


def duration(seconds: float) -> str:
    """Return a duration in words, in its two largest units.

    >>> duration(59.4), duration(3700), duration(200000)
    ('59 s', '1 h 01 min', '2 d 7 h')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
