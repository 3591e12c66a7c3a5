"""Paths through a history: the states of a machine, and those of its branches and iterations, which it may cut off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.engine.history import Details, History

_ABORTED = frozenset({"Task", "Wait", "Map", "Parallel"})  # types with a …StateAborted event
_WITHOUT_FAILED_EVENT = frozenset({"Task", "Wait"})  # of these, those whose own failure has no …StateFailed event


class Trail:
    """One path through a history: each event follows the one before it. A branch or an iteration has its own.

    Attributes:
        history: The history.
        last: Its last event.
        state: The type of the state that it is in.
        branches: Paths that left from here and are still walked.
    """

    __slots__ = ("_cut", "_iteration", "branches", "history", "last", "state")

    def __init__(self, history: History, last: int = 0, iteration: Details | None = None) -> None:
        self.history = history
        self.last = last
        self.state: str | None = None
        self.branches: list[Trail] = []
        self._iteration = iteration
        self._cut = False

    def add(self, kind: str, name: str = "", details: Details | None = None) -> int:
        """Add the next event of this path, unless it was cut off; return the number of the last."""
        if not self._cut:
            self.last = self.history.add(kind, self.last, name, details)
        return self.last

    def add_side_event(self, kind: str, name: str = "", details: Details | None = None) -> int:
        """Add an event that follows this path's last, and that the next one does not follow; return its number."""
        return self.last if self._cut else self.history.add(kind, self.last, name, details)

    def branch(self, last: int | None = None, iteration: Mapping[str, Any] | None = None) -> Trail:
        """Return a path that leaves from here, or goes on after an event; an iteration of a Map has its details."""
        found = Trail(self.history, self.last if last is None else last, iteration)
        found._cut = self._cut
        self.branches.append(found)
        return found

    def end_branches(self, failed: Trail | None = None, *, silently: bool) -> None:
        """One branch failed, or what they left from: all end, and this path goes on where the failure was.

        All that is written then follows the failure, branch by branch: that an iteration failed or was aborted, and
        which states were aborted. The state that failed is among them, unless its own failure was told.

        Args:
            failed: The branch.
            silently: Whether the whole execution ends, which is all that is told.
        """
        if failed is not None:
            if failed._cut:  # another failed first
                return
            self.last = failed.last
        for branch in self.branches:
            branch._end("Failed" if branch is failed else "Aborted", self.last, silently)
        self.branches = []

    def _end(self, how: str, previous: int, silently: bool) -> None:
        if self._cut:
            return
        self._cut = True
        if not silently:
            if self._iteration is not None:
                self.history.add(f"MapIteration{how}", previous, f"mapIteration{how}", self._iteration)
            if self.state in (_WITHOUT_FAILED_EVENT if how == "Failed" else _ABORTED):
                self.history.add(f"{self.state}StateAborted", previous)
        for branch in self.branches:
            branch._end("Aborted", previous, silently)
