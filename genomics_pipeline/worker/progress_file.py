"""The file in which a program says how far it is: one line, such as ``1250000 reads 0.25``, at most once a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from genomics_pipeline.model.task_progress import BYTES, TaskProgress, parse_progress
from genomics_pipeline.stores.bounded_file import open_plain_file
from genomics_pipeline.stores.protocol import IrregularFile

PERIOD_S = 1.0  # between two looks at the file
WINDOW_S = 60.0  # over which the speed is a mean


class ProgressFile:
    """The file of a program.

    Args:
        path: The file, which need not be there.
        report: Called with what it says, after each change.
        clock: Returns the seconds of a monotonic clock.
    """

    def __init__(
        self, path: Path, report: Callable[[TaskProgress], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path, self._report, self._clock = path, report, clock
        self._next = clock() + PERIOD_S
        self._seen: deque[tuple[float, int]] = deque()
        self._last: TaskProgress | None = None

    def look(self) -> None:
        """Look at the file, if that is due."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + PERIOD_S
        try:
            with open_plain_file(self._path) as file:
                found = parse_progress(file.read(BYTES + 1).decode("ascii", "replace"))
        except (OSError, IrregularFile):
            return
        if found is None or (self._last is not None and found == self._last):
            return
        is_counting = self._last is None or found.done != self._last.done
        self._last = found
        if not is_counting:  # the last part of the work, of which only the share is known
            self._report(found)
            return
        self._seen.append((now, found.done))
        while len(self._seen) > 2 and self._seen[1][0] <= now - WINDOW_S:
            self._seen.popleft()
        (first, before), (last, done) = self._seen[0], self._seen[-1]
        speed = max(0.0, (done - before) / (last - first)) if last > first else None
        self._report(replace(found, per_second=speed))
