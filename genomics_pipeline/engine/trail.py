"""Paths through a history: the events of a machine, and those of its branches and iterations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.engine.history import Details, History

_WITH_ABORTED_EVENT = frozenset({"Task", "Wait", "Map", "Parallel"})  # state types with a …StateAborted event
_WITHOUT_FAILED_EVENT = frozenset({"Task", "Wait"})  # those of them without a …StateFailed event


class Trail:
    """A path through a history, on which each event names the one before it; branches and iterations have their own.

    Attributes:
        history: The history.
        last: The number of its last event.
        state: The type of its current state; None between two states.
        branches: The trails of branches and iterations that have not ended.
    """

    __slots__ = ("_ended", "_iteration", "branches", "history", "last", "state")

    def __init__(self, history: History, last: int = 0, iteration: Details | None = None) -> None:
        self.history = history
        self.last = last
        self.state: str | None = None
        self.branches: list[Trail] = []
        self._iteration = iteration
        self._ended = False

    def add(self, kind: str, name: str = "", details: Details | None = None) -> int:
        """Add the next event, unless the trail was ended from outside, and return the number of the last event."""
        if not self._ended:
            self.last = self.history.add(kind, self.last, name, details)
        return self.last

    def add_side_event(self, kind: str, name: str = "", details: Details | None = None) -> int:
        """Add an event after the last one without becoming the last one itself, and return its number."""
        return self.last if self._ended else self.history.add(kind, self.last, name, details)

    def branch(self, last: int | None = None, iteration: Mapping[str, Any] | None = None) -> Trail:
        """Return a new trail that starts here, or after the event `last`.

        Args:
            last: The number of the event that the first event of the new trail names.
            iteration: The details of an iteration of a Map: its name and index.
        """
        branch = Trail(self.history, self.last if last is None else last, iteration)
        branch._ended = self._ended
        self.branches.append(branch)
        return branch

    def end_branches(self, failed: Trail | None = None, *, silently: bool) -> None:
        """End all branches after the failure of one of them, or of this trail, which continues after the failure.

        The events that follow name the failure's event, branch by branch: that an iteration failed or was aborted, and
        which states were aborted. These include the state that failed, unless it has an event for its failure.

        Args:
            failed: The branch that failed; None for this trail.
            silently: Add no events, because the whole execution ends.
        """
        if failed is not None:
            if failed._ended:  # another branch failed first
                return
            self.last = failed.last
        for branch in self.branches:
            branch._end("Failed" if branch is failed else "Aborted", self.last, silently)
        self.branches = []

    def _end(self, how: str, previous: int, silently: bool) -> None:
        if self._ended:
            return
        self._ended = True
        if not silently:
            if self._iteration is not None:
                self.history.add(f"MapIteration{how}", previous, f"mapIteration{how}", self._iteration)
            if self.state in (_WITHOUT_FAILED_EVENT if how == "Failed" else _WITH_ABORTED_EVENT):
                self.history.add(f"{self.state}StateAborted", previous)
        for branch in self.branches:
            branch._end("Aborted", previous, silently)
