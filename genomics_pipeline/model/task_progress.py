"""The progress of a running program: what it has done so far, in its own unit, and how fast."""

from __future__ import annotations

import re
from dataclasses import dataclass

LINE = re.compile(r"([0-9]+) ([A-Za-z][A-Za-z_-]*)(?: (0|1|[01]\.[0-9]+))?\n?")
BYTES = 64  # of the longest line, at most


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """The progress of a program.

    Attributes:
        done: What it has done, in its unit.
        unit: The unit, such as ``reads`` or ``bp``.
        share: The share of its work that this is, from 0 to 1; None where the program does not say it.
        per_second: What it does in a second; None before that is known.
    """

    done: int
    unit: str
    share: float | None = None
    per_second: float | None = None


def parse_progress(text: str) -> TaskProgress | None:
    """Return the progress that a program wrote; None for text of another form, such as half a line.

    >>> parse_progress("1250000 reads 0.25")
    TaskProgress(done=1250000, unit='reads', share=0.25, per_second=None)
    >>> parse_progress("64000000 bp")
    TaskProgress(done=64000000, unit='bp', share=None, per_second=None)
    >>> parse_progress("half of it")
    """
    match = LINE.fullmatch(text)
    if match is None:
        return None
    share = None if match[3] is None else min(1.0, float(match[3]))
    return TaskProgress(int(match[1]), match[2], share)
