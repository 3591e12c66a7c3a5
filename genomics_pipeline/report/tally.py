"""The counts of an execution while it runs: items of each Map Run, and the jobs that run now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.engine import events
from genomics_pipeline.engine.events import Event

ITEM_KEYS = ("sample", "interval", "cohort")


@dataclass(slots=True)
class MapRunTally:
    """Counts of items; `done` are those that succeeded."""

    label: str
    items: int
    done: int
    running: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job that runs.

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
    """Counts that grow with each event; an event gives at most one line for people.

    Attributes:
        clock: Seconds that only grow.
        map_runs: Label -> counts, in the order they began.
        jobs: Job id -> the job, while it runs.
    """

    clock: Callable[[], float]
    map_runs: dict[str, MapRunTally] = field(default_factory=dict)
    jobs: dict[str, RunningJob] = field(default_factory=dict)
    _children: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)

    def take(self, event: Event) -> str | None:
        """Count an event and return the line to print, where it is worth one."""
        match event:
            case events.MapRunStarted():
                self.map_runs[event.label] = MapRunTally(event.label, event.items, event.resumed)
            case events.MapRunEnded():
                return f"{event.label}: {event.failed} of {event.items} failed" if event.failed else None
            case events.ChildStarted():
                self._child_started(event)
            case events.ChildEnded():
                self._child_ended(event)
            case events.JobStarted():
                self.jobs[event.job_id] = RunningJob(self._name(event), event.vcpus, self.clock())
            case events.JobEnded():
                return self._job_ended(event)
            case events.RetryScheduled():
                return f"{self._name(event)}: retry {event.attempt} in {event.delay_s:g} s ({event.error})"
            case events.Note():
                return event.message
        return None

    def _child_started(self, event: events.ChildStarted) -> None:
        given = event.input
        items = given["Items"] if isinstance(given, Mapping) and isinstance(given.get("Items"), list) else [given]
        self._children[event.label, event.index] = _item_name(items, event.index), len(items)
        if run := self.map_runs.get(event.label):
            run.running += len(items)

    def _child_ended(self, event: events.ChildEnded) -> None:
        _, started = self._children.pop((event.label, event.index), ("", 0))
        if run := self.map_runs.get(event.label):
            run.running -= started
            if event.status == "SUCCEEDED":
                run.done += event.items
            elif event.status == "FAILED":
                run.failed += event.items

    def _job_ended(self, event: events.JobEnded) -> str:
        self.jobs.pop(event.job_id, None)
        name = self._name(event)
        if event.exit_code == 0:
            return f"{name}: done in {event.seconds:.1f} s"
        if event.exit_code is None and event.reason == "cancelled":
            return f"{name}: cancelled after {event.seconds:.1f} s"
        reason = event.reason or f"exit code {event.exit_code}"
        ended = "tried again" if event.again else "FAILED"
        return f"{name}: {ended} after {event.seconds:.1f} s: {reason}"

    def _name(self, event: events.JobStarted | events.JobEnded | events.RetryScheduled) -> str:
        """Return the stage and the item of an event."""
        item = ""
        if event.label is not None and event.index is not None:
            item, _ = self._children.get((event.label, event.index), ("", 0))
        return f"{event.state} {item}".rstrip()


def _item_name(items: list[Any], index: int) -> str:
    first = items[0] if items else None
    if isinstance(first, Mapping):
        inner = first.get("item", first)
        first = next((inner[key] for key in ITEM_KEYS if key in inner), None) if isinstance(inner, Mapping) else inner
    name = first if isinstance(first, str) else f"#{index}"
    return f"{name} +{len(items) - 1}" if len(items) > 1 else name
