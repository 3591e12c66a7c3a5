"""What is known of an execution while it goes on: counts a Map Run, and the jobs that are running.

Events are told apart by the names of their classes (`engine/events.py`): rooms of one layer do not import each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ITEM_KEYS = ("sample", "interval", "cohort")


@dataclass(slots=True)
class MapRun:
    """Counts of items; `done` are those that succeeded."""

    label: str
    items: int
    done: int
    running: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job that has begun.

    Attributes:
        name: Its stage and item.
        vcpus: The cores it was given.
        started: The clock then.
    """

    name: str
    vcpus: int
    started: float


@dataclass(slots=True)
class Tally:
    """Takes events; each gives at most one line for people.

    Attributes:
        clock: Seconds that only grow.
        map_runs: Label -> counts, in the order they began.
        jobs: Job id -> the job, while it runs.
    """

    clock: Callable[[], float]
    map_runs: dict[str, MapRun] = field(default_factory=dict)
    jobs: dict[str, RunningJob] = field(default_factory=dict)
    _children: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)

    def take(self, event: Any) -> str | None:
        """Count an event; the line to print, if it is worth one."""
        handle = _HANDLERS.get(type(event).__name__)
        return handle(self, event) if handle else None

    def _map_run_started(self, event: Any) -> None:
        self.map_runs[event.label] = MapRun(event.label, event.items, event.resumed)

    def _map_run_ended(self, event: Any) -> str | None:
        return f"{event.label}: {event.failed} of {event.items} failed" if event.failed else None

    def _child_started(self, event: Any) -> None:
        given = event.input
        items = given["Items"] if isinstance(given, Mapping) and isinstance(given.get("Items"), list) else [given]
        self._children[event.label, event.index] = _item_name(items, event.index), len(items)
        if run := self.map_runs.get(event.label):
            run.running += len(items)

    def _child_ended(self, event: Any) -> None:
        _, started = self._children.pop((event.label, event.index), ("", 0))
        if run := self.map_runs.get(event.label):
            run.running -= started
            if event.status == "SUCCEEDED":
                run.done += event.items
            elif event.status == "FAILED":
                run.failed += event.items

    def _job_started(self, event: Any) -> None:
        self.jobs[event.job_id] = RunningJob(self._name(event), event.vcpus, self.clock())

    def _job_ended(self, event: Any) -> str:
        self.jobs.pop(event.job_id, None)
        name = self._name(event)
        if event.exit_code == 0:
            return f"{name}: done in {event.seconds:.1f} s"
        if event.exit_code is None and event.reason == "cancelled":
            return f"{name}: cancelled after {event.seconds:.1f} s"
        reason = event.reason or f"exit code {event.exit_code}"
        ended = "tried again" if event.again else "FAILED"
        return f"{name}: {ended} after {event.seconds:.1f} s: {reason}"

    def _retry_scheduled(self, event: Any) -> str:
        return f"{self._name(event)}: retry {event.attempt} in {event.delay_s:g} s ({event.error})"

    def _note(self, event: Any) -> str:
        return str(event.message)

    def _name(self, event: Any) -> str:
        """The stage and the item that something belongs to."""
        item, _ = self._children.get((event.label, event.index), ("", 0))
        return f"{event.state} {item}".rstrip()


def _item_name(items: list[Any], index: int) -> str:
    first = items[0] if items else None
    if isinstance(first, Mapping):
        inner = first.get("item", first)
        first = next((inner[key] for key in ITEM_KEYS if key in inner), None) if isinstance(inner, Mapping) else inner
    name = first if isinstance(first, str) else f"#{index}"
    return f"{name} +{len(items) - 1}" if len(items) > 1 else name


_HANDLERS: Mapping[str, Callable[[Tally, Any], str | None]] = {
    "MapRunStarted": Tally._map_run_started,
    "MapRunEnded": Tally._map_run_ended,
    "ChildStarted": Tally._child_started,
    "ChildEnded": Tally._child_ended,
    "JobStarted": Tally._job_started,
    "JobEnded": Tally._job_ended,
    "RetryScheduled": Tally._retry_scheduled,
    "Note": Tally._note,
}
