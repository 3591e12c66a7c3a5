"""The interface through which the language obtains time, random numbers and UUIDs, and evaluates costly expressions."""

from __future__ import annotations

from typing import NoReturn, Protocol

from genomics_pipeline.language.evaluation import Evaluation, EvaluationEnd


class Host(Protocol):
    """A source of time, random numbers and UUIDs, provided by the program that evaluates expressions."""

    def now(self) -> float:
        """Return the time, in seconds since the epoch."""

    def processor_seconds(self) -> float:
        """Return the processor time that the calling thread has used, in seconds."""

    def random(self) -> float:
        """Return a random number of at least 0 and less than 1."""

    def random_integer(self, low: int, high: int, seed: int | None) -> int:
        """Return a random integer.

        Args:
            low: The least value.
            high: The least value that is too large.
            seed: A seed, for which the result is always the same; None for none.
        """

    def uuid(self) -> str:
        """Return a version 4 UUID."""

    def evaluate_apart(self, evaluation: Evaluation) -> EvaluationEnd:
        """Evaluate an expression that may take long or much memory, within a budget.

        Raises:
            TooLong: if it takes too much processor time.
            TooLarge: if it takes too much memory.
        """


class _NoHost:
    """A host that provides neither time nor random numbers."""

    def now(self) -> NoReturn:
        """Raise LookupError."""
        raise LookupError(
            "the expression needs the time or a random number, and is evaluated without a host that provides them"
        )

    def processor_seconds(self) -> float:
        """Return 0, so that the evaluation never times out."""
        return 0.0

    def random(self) -> NoReturn:
        """Raise LookupError."""
        self.now()

    def random_integer(self, low: int, high: int, seed: int | None) -> NoReturn:
        """Raise LookupError."""
        self.now()

    def uuid(self) -> NoReturn:
        """Raise LookupError."""
        self.now()

    def evaluate_apart(self, evaluation: Evaluation) -> EvaluationEnd:
        """Evaluate an expression here, without a budget."""
        return evaluation.here(self)


NO_HOST: Host = _NoHost()
