"""The port to a program that runs, and its end."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class ProgramEnd(NamedTuple):
    """The end of a program, as `os.wait4` reports it.

    Attributes:
        status: The status.
        maxrss: The largest resident set, in the system's unit.
        processor_seconds: The time on all cores.
    """

    status: int
    maxrss: int
    processor_seconds: float


class Program(Protocol):
    """A program that runs, in a process group of its own."""

    @property
    def pid(self) -> int:
        """The process, which leads the group."""

    def begin(self) -> None:
        """Let the program begin, if it waits for that; call this once its group is known to the guardian."""

    def wait(self, timeout_s: float | None) -> ProgramEnd | None:
        """Wait for the end, and return it.

        Args:
            timeout_s: The time after which None is returned; None for no limit.
        """
