"""The engine as host of the language: time from its clock, chance from the system."""

from __future__ import annotations

import random
import time
import uuid

from genomics_pipeline.engine.clock import Clock


class EngineHost:
    """Time and chance for the expressions of a document; an implementation of `language.host.Host`."""

    def __init__(self, clock: Clock) -> None:
        self.now = clock.now
        self.processor_seconds = time.thread_time

    def random(self) -> float:
        """Return a number of at least 0 and less than 1."""
        return random.random()  # noqa: S311  # not for secrets

    def random_integer(self, low: int, high: int, seed: int | None) -> int:
        """Return an integer of at least `low` and less than `high`; with a seed, the same one each time."""
        return random.Random(seed).randrange(low, high)  # noqa: S311  # not for secrets

    def uuid(self) -> str:
        """Return a version 4 UUID."""
        return str(uuid.uuid4())
