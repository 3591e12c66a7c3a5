"""The progress of a program, in the file that the worker looks at."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

PERIOD_S = 1.0  # between two lines


class Progress:
    """The count of what a program has done.

    Args:
        task: The task, whose ``progress`` is the file.
        unit: What is counted, such as ``reads``.

    Attributes:
        done: What is done.
    """

    def __init__(self, task: dict[str, Any], unit: str) -> None:
        self._file, self._unit = task.get("progress"), unit
        self.done, self._next = 0, 0.0

    def add(self, number: int, share: float | None = None) -> None:
        """Count what was done, and say so, at most once a second.

        Args:
            number: What was done since the last call.
            share: The share of all work that is done, from 0 to 1; None where it is not known.
        """
        self.done += number
        now = time.monotonic()
        if self._file is None or now < self._next:
            return
        self._next = now + PERIOD_S
        words = f"{self.done} {self._unit}" + ("" if share is None else f" {share:.6f}")
        with suppress(OSError):  # the work itself matters more
            Path(self._file).write_text(f"{words}\n")
