"""``Retry``: the choice of a retrier for an error, and the delay before the next attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genomics_pipeline.engine.clock import Clock
from genomics_pipeline.language.errors import StatesError, matches
from genomics_pipeline.model import quotas


class Retriers:
    """The retriers of one visit to a state, each with its own count of retries."""

    def __init__(self, retriers: Sequence[Mapping[str, Any]], clock: Clock) -> None:
        self._retriers = retriers
        self._counts = [0] * len(retriers)
        self._clock = clock

    def delay(self, error: StatesError) -> float | None:
        """Count the next attempt and return the seconds to wait before it; None if there is none."""
        for number, retrier in enumerate(self._retriers):
            if matches(error, retrier["ErrorEquals"]):
                if self._counts[number] >= retrier.get("MaxAttempts", 3):
                    return None
                self._counts[number] += 1
                return self._interval(retrier, self._counts[number])
        return None

    def _interval(self, retrier: Mapping[str, Any], attempt: int) -> float:
        limit = float(retrier.get("MaxDelaySeconds", quotas.MAX_DELAY.value))
        try:
            delay = retrier.get("IntervalSeconds", 1) * float(retrier.get("BackoffRate", 2.0)) ** (attempt - 1)
        except OverflowError:
            delay = limit
        delay = min(delay, limit)
        return self._clock.jitter(delay) if retrier.get("JitterStrategy") == "FULL" else delay
