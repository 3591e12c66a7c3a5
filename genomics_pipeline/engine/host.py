"""The engine as host of the language: time from the engine's clock, randomness and another process from the system."""

from __future__ import annotations

import random
import time
import uuid

from genomics_pipeline.engine.clock import Clock
from genomics_pipeline.engine.interruption import Interruption
from genomics_pipeline.language.evaluation import Evaluation, EvaluationEnd


class EngineHost:
    """The source of time and randomness for expressions; an implementation of `language.host.Host`."""

    def __init__(self, clock: Clock, interruption: Interruption) -> None:
        self._interruption = interruption
        self.now = clock.now
        self.processor_seconds = time.thread_time

    def random(self) -> float:
        """Return a random number of at least 0 and less than 1."""
        return random.random()  # noqa: S311  # not used for security

    def random_integer(self, low: int, high: int, seed: int | None) -> int:
        """Return a random integer.

        Args:
            low: The least possible value.
            high: One more than the greatest possible value.
            seed: Makes the result reproducible; None for a different one each time.
        """
        return random.Random(seed).randrange(low, high)  # noqa: S311  # not used for security

    def uuid(self) -> str:
        """Return a version 4 UUID."""
        return str(uuid.uuid4())

    def evaluate_apart(self, evaluation: Evaluation) -> EvaluationEnd:
        """Evaluate an expression in another process, within a budget; SIGINT ends it.

        Other states wait meanwhile. Expressions are evaluated between the steps of a state, whose effects on variables,
        the history and the journal must not mix with those of other states; to await them there, each function on the
        way here, and all of `language`, would have to be a coroutine.

        Raises:
            TooLong: if it takes too much processor time.
            TooLarge: if it takes too much memory.
            CancelledError: if the execution is interrupted.
        """
        from genomics_pipeline.engine.evaluator_process import evaluator_process

        return evaluator_process().evaluate(evaluation, self.now(), self._interruption.check)
