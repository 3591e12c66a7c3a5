"""Sizes and durations for people, and the space that is left."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.quantity import quantity

_PREFIXES = ("", "k", "M", "G", "T")


def in_units(number: float, unit: str) -> str:
    """Return a number with a decimal prefix.

    >>> in_units(3_099_750_718, "bp"), in_units(640, "bp")
    ('3.1 Gbp', '640 bp')
    """
    power = 0
    while number >= 1000 and power < len(_PREFIXES) - 1:
        number, power = number / 1000, power + 1
    return f"{number:.3g} {_PREFIXES[power]}{unit}"


def duration(seconds: float) -> str:
    """Return about how long something takes.

    >>> duration(3), duration(80), duration(3600)
    ('a few seconds', 'about 2 minutes', 'about 60 minutes')
    """
    return "a few seconds" if seconds < 30 else f"about {quantity(math.ceil(seconds / 60), 'minute')}"


def refuse_full_disk(folder: Path, needed_bytes: int, purpose: str) -> None:
    """Refuse to begin what a disk has no space for.

    Raises:
        DataError: with the space that is needed.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        needed = f"expected about {in_units(needed_bytes, 'B')} of free space for {purpose}"
        raise DataError(f"{folder}: {needed}, found {in_units(free, 'B')}; remove files or use another disk")
