"""The counts of an execution while it runs: the items of each Map Run, and the running jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.engine import events
from genomics_pipeline.engine.events import Event
from genomics_pipeline.report.time_left import TimeLeft

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
        stage: The stage.
        name: The stage and the item.
        vcpus: The number of its cores.
        started: The reading of the clock when the job started, in seconds.
        memory_mib: The memory that it may use.
        usage: The memory that it uses.
    """

    stage: str
    name: str
    vcpus: int
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
    _done: Counter[tuple[str, str]] = field(default_factory=Counter)  # items by Label and stage
    _stages: dict[tuple[str, int], set[str]] = field(default_factory=dict)  # done, of each running child

    def expect(self, left: TimeLeft) -> None:
        """Show the time that is left from now on; what has happened before is counted."""
        self.left = left
        for run in self.map_runs.values():
            left.begin_phase(phase_of(run.label), run.items, run.resumed)
        for (_, stage), items in self._done.items():
            left.skip(stage, items)
        for job in self.jobs.values():
            left.begin(job.stage, job.vcpus, job.started)

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
                if self.left is not None:
                    self.left.begin_phase(phase_of(event.label), run.items, run.resumed)
            case events.MapRunEnded():
                return f"{event.label}: {event.failed} of {event.items} failed" if event.failed else None
            case events.ChildStarted():
                self._start_child(event)
            case events.ChildEnded():
                self._end_child(event)
            case events.JobStarted():
                self._start_job(event)
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
        done = self._stages.pop((event.label, event.index), set())
        if self.left is not None and event.status == "FAILED":
            self.left.give_up(phase_of(event.label), done, event.items)
        if run := self.map_runs.get(event.label):
            run.running -= started
            if event.status == "SUCCEEDED":
                run.done += event.items
            elif event.status == "FAILED":
                run.failed += event.items

    def _start_job(self, event: events.JobStarted) -> None:
        now = self.clock()
        name = self._name(event)
        self.jobs[event.job_id] = RunningJob(event.state, name, event.vcpus, now, event.memory_mib, event.usage)
        if self.left is not None:
            self.left.begin(event.state, event.vcpus, now)

    def _end_job(self, event: events.JobEnded) -> str:
        job = self.jobs.pop(event.job_id, None)
        is_done = event.exit_code == 0
        if self.left is not None and job is not None:
            items = self._children.get((event.label or "", event.index or 0), ("", 1))[1]
            self.left.end(event.state, job.started, event.seconds, is_done=is_done, reused=event.reused, items=items)
        if is_done and event.label is not None and event.index is not None:
            self._stages.setdefault((event.label, event.index), set()).add(event.state)
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


def phase_of(label: str) -> str:
    """Return the phase of `report.time_left` that a Map Run with a Label is, by the scope of its items.

    >>> phase_of("Sample2")
    'sample'
    """
    return label.rstrip("0123456789").lower()


def _item_name(items: list[Any], index: int) -> str:
    first = items[0] if items else None
    if isinstance(first, Mapping):
        inner = first.get("item", first)
        first = next((inner[key] for key in ITEM_KEYS if key in inner), None) if isinstance(inner, Mapping) else inner
    name = first if isinstance(first, str) else f"#{index}"
    return f"{name} +{len(items) - 1}" if len(items) > 1 else name
