"""The host of the language: the program that evaluates documents, which alone knows time and chance."""

from __future__ import annotations

from typing import NoReturn, Protocol


class Host(Protocol):
    """The program that evaluates expressions."""

    def now(self) -> float:
        """Return the time, in seconds since the epoch."""

    def processor_seconds(self) -> float:
        """Return the processor time that the calling thread has used, in seconds."""

    def random(self) -> float:
        """Return a number of at least 0 and less than 1."""

    def random_integer(self, low: int, high: int, seed: int | None) -> int:
        """Return an integer of at least `low` and less than `high`; with a seed, the same one each time."""

    def uuid(self) -> str:
        """Return a version 4 UUID."""


class _NoHost:
    """A host without time and chance."""

    def now(self) -> NoReturn:
        """Raise LookupError."""
        raise LookupError("time and chance come from a host, and this expression is evaluated without one")

    def processor_seconds(self) -> float:
        """Return 0: the evaluation is not bounded."""
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


NO_HOST: Host = _NoHost()
