"""The counts of an execution while it runs: the items of each Map Run, and the running jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from genomics_pipeline.engine import events
from genomics_pipeline.engine.events import Event
from genomics_pipeline.report.duration import duration

if TYPE_CHECKING:  # imported on a terminal only
    from genomics_pipeline.report.time_left import TimeLeft

ITEM_KEYS = ("sample", "interval", "cohort")
EXACT = 10  # seconds: shorter ones have fractions


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
        started: The reading of the clock when the job started, in seconds.
        memory_mib: The memory that it may use.
        usage: The memory that it uses, and its progress.
    """

    name: str
    started: float
    memory_mib: int
    usage: events.JobUsage


@dataclass(slots=True)
class Tally:
    """Counts that every event of the engine updates; an event is worth at most one line for people.

    Attributes:
        clock: Returns the seconds of a monotonic clock.
        map_runs: The counts by Label, in the order in which the Map Runs began.
        jobs: The running jobs by job ID.
        left: The time that is left; None where it is not known.
    """

    clock: Callable[[], float]
    map_runs: dict[str, MapRunTally] = field(default_factory=dict)
    jobs: dict[str, RunningJob] = field(default_factory=dict)
    left: TimeLeft | None = None
    _children: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    _failed: dict[str, int] = field(default_factory=dict)  # the memory of failed jobs of which no retry was announced
    _done: Counter[tuple[str, str]] = field(default_factory=Counter)  # items by Label and stage
    _backlog: list[tuple[Event, float]] | None = None

    def expect(self, left: TimeLeft | None) -> None:
        """Show the time that is left from now on; what has happened before is counted.

        Args:
            left: The time that is left; None where it cannot be known.
        """
        self.left, backlog, self._backlog = left, self._backlog, None
        for event, now in backlog or ():
            if left is not None:
                left.take(event, now)

    def await_expectation(self) -> None:
        """Keep what happens until `expect` is called."""
        self._backlog = []

    def take(self, event: Event) -> str | None:
        """Count an event and return the line to print; None where it is not worth one."""
        if self._backlog is not None:
            self._backlog.append((event, self.clock()))
        elif self.left is not None:
            self.left.take(event, self.clock())
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
                return self._start_job(event)
            case events.JobEnded():
                return self._end_job(event)
            case events.RetryScheduled():
                return self._retry(event)
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

    def _start_job(self, event: events.JobStarted) -> str | None:
        """Note a running job; return a line where it follows one that failed, such as one with less memory."""
        name = self._name(event)
        self.jobs[event.job_id] = RunningJob(name, self.clock(), event.memory_mib, event.usage)
        if name not in self._failed:
            return None
        memory = f", with {event.memory_mib:,} MiB" if event.memory_mib > self._failed.pop(name) else ""
        return f"{name}: tried again{memory}"

    def _retry(self, event: events.RetryScheduled) -> str:
        name, delay_s = self._name(event), event.delay_s
        self._failed.pop(name, None)
        delay = f"{delay_s:.2g} s" if delay_s < EXACT else duration(delay_s)
        return f"{name}: retry {event.attempt} in {delay} ({event.error})"

    def _end_job(self, event: events.JobEnded) -> str:
        job = self.jobs.pop(event.job_id, None)
        name = self._name(event)
        if event.exit_code == 0:
            ended = "done before, reused" if event.reused else f"done in {event.seconds:.1f} s"
            return f"{name}: {ended}{self._count_done(event)}"
        if event.exit_code is None and event.reason == "cancelled":
            return f"{name}: cancelled after {event.seconds:.1f} s"
        reason = event.reason or f"exit code {event.exit_code}"
        ended = "tried again" if event.again else "FAILED"
        if not event.again:
            self._failed[name] = job.memory_mib if job else 0
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
