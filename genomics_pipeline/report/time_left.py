"""The time that is left of an execution on this machine: its rest in virtual time, by what was measured."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median

from genomics_pipeline.engine import events
from genomics_pipeline.engine.events import Event
from genomics_pipeline.engine.tasks.shares import MachineShares, Share
from genomics_pipeline.planning.local_phases import LocalPhase
from genomics_pipeline.report.measured_durations import Durations, MeasuredDurations, RunningPart
from genomics_pipeline.report.phase_progress import PhaseProgress
from genomics_pipeline.report.virtual_schedule import ChildStage, PhaseRest, seconds_left

DRAWN_JOBS, LEAST_DRAWS, MOST_DRAWS = 2000, 8, 32  # jobs that are drawn for one estimate; the draws of a small rest
LEAST_S, PER_JOB_S = 0.25, 0.004  # between two estimates: for each job that is left a hundred times what it takes
IN_RANGE = 1.28  # standard deviations, between which a normal distribution has eight of ten values

Parts = Sequence[tuple[ChildStage, RunningPart]]
Running = Mapping[PhaseProgress, Parts]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A time that is expected, in seconds.

    Attributes:
        low: One of ten executions is shorter.
        middle: Half of them are.
        high: One of ten is longer.
    """

    low: float = 0.0
    middle: float = 0.0
    high: float = 0.0

    def after(self, seconds: float) -> TimeRange:
        """Return what is left of it when some seconds have passed."""
        return TimeRange(*(max(0.0, one - seconds) for one in (self.low, self.middle, self.high)))


class TimeLeft:
    """The time that is left, and the share of the work that is done.

    Args:
        phases: The phases of the execution, in order.
        cores: The cores for jobs.
        memory_mib: The memory for jobs.
        jobs: The most jobs at a time; None for as many as fit.
    """

    def __init__(self, phases: Sequence[LocalPhase], cores: int, memory_mib: int, jobs: int | None = None) -> None:
        self._phases = [PhaseProgress(one) for one in phases]
        self._by_label = {one.expected.label: one for one in self._phases}
        self._machine = cores, memory_mib, jobs
        self._durations = MeasuredDurations({one.stage: one.deviation for phase in phases for one in phase.stages})
        self._failed: dict[tuple[str, int], float] = {}  # the newest attempt of a child that failed, in seconds
        self._done_core_s = 0.0
        self._estimated, self._next = 0.0, -math.inf
        self._share, self._left = 0.0, TimeRange()

    def take(self, event: Event, now: float) -> None:
        """Count an event of the engine.

        Args:
            event: The event.
            now: The time at which it was observed, in seconds.
        """
        match event:
            case events.MapRunStarted():
                if phase := self._by_label.get(event.label):
                    phase.begin_map_run(event.items, event.resumed)
            case events.ChildStarted():
                if phase := self._by_label.get(event.label):
                    phase.start(event.index)
            case events.ChildEnded():
                self._end_child(event)
            case events.JobStarted():
                phase = self._by_label.get(event.label or event.state)
                if phase is not None and event.state in phase.places:
                    share = Share(event.vcpus, event.memory_mib)
                    phase.begin((event.index or 0, phase.places[event.state]), now, share, event.usage)
            case events.JobEnded():
                self._end_job(event)

    def _end_child(self, event: events.ChildEnded) -> None:
        phase = self._by_label.get(event.label)
        if phase is None:
            return
        failed = phase.end_child(event.index)
        if failed is not None and event.status == "FAILED":
            last = self._failed.pop((event.label, event.index), 0.0)
            self._durations.give_up(phase.expected.stages[failed].stage, last)

    def _end_job(self, event: events.JobEnded) -> None:
        phase = self._by_label.get(event.label or event.state)
        if phase is None or event.state not in phase.places:
            return
        job, is_done = (event.index or 0, phase.places[event.state]), event.exit_code == 0
        running = phase.end_job(job, is_done=is_done)
        if running is None:
            return
        if is_done and not event.reused:
            predicted = phase.predicted(job, running.share.vcpus)
            self._durations.end(event.state, predicted, event.seconds, running.track)
            self._done_core_s += event.seconds * running.share.vcpus
        elif not is_done:
            self._durations.fail(event.state, event.seconds)
            self._failed[event.label or "", event.index or 0] = event.seconds

    def share(self, now: float) -> float:
        """Return which share of the work is done, from 0 to 1.

        Args:
            now: The time, in seconds.
        """
        self._renew(now)
        return self._share

    def seconds(self, now: float) -> TimeRange:
        """Return the time that is left.

        Args:
            now: The time, in seconds.
        """
        self._renew(now)
        return self._left.after(now - self._estimated)

    def _renew(self, now: float) -> None:
        """Estimate again, if that is due: rarely of many jobs, whose end changes little."""
        if now < self._next:
            return
        running = {phase: list(phase.parts(now)) for phase in self._phases}
        durations = self._durations.now([part for parts in running.values() for _, part in parts])
        work, jobs = self._work_left(running, durations)
        shares = ((part.elapsed, phase.running[job].share) for phase, parts in running.items() for job, part in parts)
        done = self._done_core_s + sum(max(0.0, elapsed) * share.vcpus for elapsed, share in shares)
        self._share = done / (done + sum(work.values())) if jobs else 1.0
        self._estimated, self._next = now, now + max(LEAST_S, PER_JOB_S * jobs)
        self._left = self._estimate(running, durations, work, jobs) if jobs else TimeRange()

    def _estimate(self, running: Running, durations: Durations, work: dict[str, float], jobs: int) -> TimeRange:
        """Return the ends of executions of the rest that may be.

        Args:
            running: The jobs that run.
            durations: The durations to expect.
            work: The core-seconds that are left, by stage.
            jobs: The number of jobs.
        """
        draws = min(MOST_DRAWS, DRAWN_JOBS // jobs)
        if draws >= LEAST_DRAWS:
            chances = map(Random, range(draws))  # always the same
            drawn = (durations.draw(one, (place + 0.5) / draws) for place, one in enumerate(chances))
            ends = sorted(self._end(running, one) for one in drawn)
            return TimeRange(ends[draws // 10], median(ends), ends[-1 - draws // 10])
        middle = self._end(running, durations)
        shares = [(stage, one / sum(work.values())) for stage, one in work.items()]
        spread = math.exp(IN_RANGE * sum(share * durations.deviation(stage) for stage, share in shares))
        return TimeRange(middle / spread, middle, middle * spread)

    def _end(self, running: Running, durations: Durations) -> float:
        rest = (self._rest(phase, parts, durations) for phase, parts in running.items() if phase.jobs_left())
        return seconds_left(rest, MachineShares(*self._machine))

    def _rest(self, phase: PhaseProgress, parts: Parts, durations: Durations) -> PhaseRest:
        stages = phase.expected.stages
        return PhaseRest(
            phase.needs,
            {job: (durations.left(part), phase.running[job].share) for job, part in parts},
            list(phase.ready),
            phase.fresh(),
            lambda job, vcpus: durations.seconds(stages[job[1]].stage, phase.predicted(job, vcpus)),
            lambda job: durations.is_given_up(stages[job[1]].stage),
        )

    def _work_left(self, running: Running, durations: Durations) -> tuple[dict[str, float], int]:
        """Return the core-seconds that are left, by stage, and the number of jobs.

        Args:
            running: The jobs that run.
            durations: The durations to expect.
        """
        work, jobs = defaultdict[str, float](float), 0
        for phase, parts in running.items():
            for job, part in parts:
                work[part.stage] += durations.left(part) * phase.running[job].share.vcpus
                jobs += 1
            for job in self._waiting(phase):
                vcpus, stage = phase.usual_vcpus(job[1], self._machine[0]), phase.expected.stages[job[1]].stage
                work[stage] += vcpus * durations.seconds(stage, phase.predicted(job, vcpus))
                jobs += 1
        return work, jobs

    def _waiting(self, phase: PhaseProgress) -> Iterator[ChildStage]:
        """Yield the jobs of a phase that have not started."""
        last = len(phase.expected.stages)
        for child, stage in phase.running:
            yield from ((child, later) for later in range(stage + 1, last))
        for child, stage in phase.ready:
            yield from ((child, later) for later in range(stage, last))
        for child in phase.fresh():
            yield from ((child, stage) for stage in range(last))
