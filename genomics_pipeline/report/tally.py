"""The counts of an execution while it runs: the items of each Map Run, and the running jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.engine import events
from genomics_pipeline.engine.events import Event

ITEM_KEYS = ("sample", "interval", "cohort")


@dataclass(slots=True)
class MapRunTally:
    """Counts of the items of one Map Run; of `done`, those that succeeded, `resumed` had succeeded before the start."""

    label: str
    items: int
    done: int
    resumed: int = 0
    running: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A running job.

    Attributes:
        name: The stage and the item.
        vcpus: The number of its cores.
        started: The reading of the clock when the job started, in seconds.
    """

    name: str
    vcpus: int
    started: float


@dataclass(slots=True)
class Tally:
    """Counts that every event of the engine updates; an event is worth at most one line for people.

    Attributes:
        clock: Returns the seconds of a monotonic clock.
        map_runs: The counts by Label, in the order in which the Map Runs began.
        jobs: The running jobs by job ID.
    """

    clock: Callable[[], float]
    map_runs: dict[str, MapRunTally] = field(default_factory=dict)
    jobs: dict[str, RunningJob] = field(default_factory=dict)
    _children: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    _done: Counter[tuple[str, str]] = field(default_factory=Counter)  # items by Label and stage

    def take(self, event: Event) -> str | None:
        """Count an event and return the line to print; None where it is not worth one."""
        match event:
            case events.MapRunStarted():
                run = self.map_runs.setdefault(event.label, MapRunTally(event.label, 0, 0))
                run.items, run.done, run.resumed = (
                    run.items + event.items,
                    run.done + event.resumed,
                    run.resumed + event.resumed,
                )
            case events.MapRunEnded():
                return f"{event.label}: {event.failed} of {event.items} failed" if event.failed else None
            case events.ChildStarted():
                self._start_child(event)
            case events.ChildEnded():
                self._end_child(event)
            case events.JobStarted():
                self.jobs[event.job_id] = RunningJob(self._name(event), event.vcpus, self.clock())
            case events.JobEnded():
                return self._end_job(event)
            case events.RetryScheduled():
                return f"{self._name(event)}: retry {event.attempt} in {event.delay_s:g} s ({event.error})"
            case events.Note():
                return event.message
        return None

    def _start_child(self, event: events.ChildStarted) -> None:
        value = event.input
        items = value["Items"] if isinstance(value, Mapping) and isinstance(value.get("Items"), list) else [value]
        self._children[event.label, event.index] = _item_name(items, event.index), len(items)
        if run := self.map_runs.get(event.label):
            run.running += len(items)

    def _end_child(self, event: events.ChildEnded) -> None:
        _, started = self._children.pop((event.label, event.index), ("", 0))
        if run := self.map_runs.get(event.label):
            run.running -= started
            if event.status == "SUCCEEDED":
                run.done += event.items
            elif event.status == "FAILED":
                run.failed += event.items

    def _end_job(self, event: events.JobEnded) -> str:
        self.jobs.pop(event.job_id, None)
        name = self._name(event)
        if event.exit_code == 0:
            ended = "done before, reused" if event.reused else f"done in {event.seconds:.1f} s"
            return f"{name}: {ended}{self._count_done(event)}"
        if event.exit_code is None and event.reason == "cancelled":
            return f"{name}: cancelled after {event.seconds:.1f} s"
        reason = event.reason or f"exit code {event.exit_code}"
        ended = "tried again" if event.again else "FAILED"
        return f"{name}: {ended} after {event.seconds:.1f} s: {reason}"

    def _count_done(self, event: events.JobEnded) -> str:
        """Count the items of a job that succeeded, and return how many the stage has done; empty outside of a Map."""
        if event.label is None or event.index is None or (run := self.map_runs.get(event.label)) is None:
            return ""
        _, items = self._children.get((event.label, event.index), ("", 1))
        stage = event.label, event.state
        self._done[stage] += items
        return f" ({run.resumed + self._done[stage]} of {run.items})"

    def _name(self, event: events.JobStarted | events.JobEnded | events.RetryScheduled) -> str:
        """Return the name of an event's job: its stage and its item."""
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
