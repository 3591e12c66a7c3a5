"""The pace at which Slurm is asked: no site should notice a run by the load of its controller."""

from __future__ import annotations

from collections import deque

from genomics_pipeline.engine.clock import Clock

MOST_CALLS = 60  # of all commands within a minute
_RESERVED = 10  # of them, for cancellations, which do not wait
_MINUTE_S = 60.0


class CallPace:
    """The calls of the last minute.

    Args:
        clock: The clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: deque[float] = deque()

    def count(self, calls: int = 1) -> None:
        """Count a call, or several."""
        self._calls.extend([self._clock.now()] * calls)

    def has_room(self) -> bool:
        """Return whether another call may be made now that is not a cancellation."""
        now = self._clock.now()
        while self._calls and not 0 <= now - self._calls[0] < _MINUTE_S:  # also if the clock was set back
            self._calls.popleft()
        return len(self._calls) < MOST_CALLS - _RESERVED
