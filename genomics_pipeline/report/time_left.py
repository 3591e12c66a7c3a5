"""The time that is left of an execution on this machine: predicted durations of jobs, corrected by measured ones."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

LEAST_SHARE = 0.05  # of its duration is left of a job that takes longer than expected


@dataclass(frozen=True, slots=True)
class ExpectedStage:
    """The jobs of a stage, as a plan expects them.

    Attributes:
        stage: The stage.
        phase: The scope of its items, or the stage itself where it runs once: phases follow each other.
        jobs: The number of its jobs.
        seconds: The mean duration of one.
        vcpus: The cores of one.
    """

    stage: str
    phase: str
    jobs: int
    seconds: float
    vcpus: float


@dataclass(slots=True)
class _StageSoFar:
    """The jobs of a stage so far.

    Attributes:
        ended: The number of those that ended.
        measured: The number of those that did work, and succeeded.
        seconds: The durations of these together.
        squares: The sum of their squares.
        running: The starts of those that run.
        vcpus: The cores of one, as they were measured; 0 before the first began.
    """

    ended: int = 0
    measured: int = 0
    seconds: float = 0.0
    squares: float = 0.0
    running: list[float] = field(default_factory=list)
    vcpus: float = 0.0


class TimeLeft:
    """The time that is left; jobs are reported as they begin and end.

    Args:
        stages: The stages, in the order of the definition.
        cores: The cores for jobs.
    """

    def __init__(self, stages: Sequence[ExpectedStage], cores: int) -> None:
        self._stages, self._cores = list(stages), cores
        self._so_far = {one.stage: _StageSoFar() for one in stages}
        self._first: float | None = None
        self._last = self._busy = self._busy_core_s = 0.0

    def begin(self, stage: str, vcpus: float, now: float) -> None:
        """Count a job that begins.

        Args:
            stage: Its stage.
            vcpus: Its cores.
            now: The time, in seconds.
        """
        if one := self._so_far.get(stage):
            one.running.append(now)
            one.vcpus = vcpus
            self._count_cores(now, vcpus)

    def end(self, stage: str, started: float, seconds: float, *, is_done: bool, reused: bool, items: int = 1) -> None:
        """Count a job that ended.

        Args:
            stage: Its stage.
            started: The time at which it began.
            seconds: Its duration.
            is_done: Whether it succeeded; else it may run again.
            reused: Whether its work had been done before.
            items: The number of its items, more than one of a batch.
        """
        one = self._so_far.get(stage)
        if one is None:
            return
        if started in one.running:
            one.running.remove(started)
            self._count_cores(started + seconds, -one.vcpus)
        one.ended += items * is_done
        if is_done and not reused:
            one.measured += items
            one.seconds += seconds
            one.squares += seconds**2 / items

    def _count_cores(self, now: float, more: float) -> None:
        if self._first is None:
            self._first = self._last = now
        now = max(now, self._last)
        self._busy_core_s += self._busy * (now - self._last)
        self._last, self._busy = now, self._busy + more

    def _cores_in_use(self) -> float:
        """Return the cores that jobs had on average: fewer than there are, where jobs do not fill them."""
        elapsed = self._last - (self._first or 0.0)
        return self._busy_core_s / elapsed if elapsed else float(self._cores)

    def begin_phase(self, phase: str, items: int, done: int) -> None:
        """Correct the number of jobs of a phase that begins.

        Args:
            phase: The phase.
            items: The number of its items.
            done: The number of those that ended in an earlier attempt of the execution.
        """
        for number, one in enumerate(self._stages):
            if one.phase == phase:
                self._stages[number] = replace(one, jobs=items)
                self._so_far[one.stage].ended = max(self._so_far[one.stage].ended, done)

    def skip(self, stage: str, jobs: int) -> None:
        """Count jobs that ended without a measurement.

        Args:
            stage: Their stage.
            jobs: The number of these jobs.
        """
        if one := self._so_far.get(stage):
            one.ended += jobs

    def give_up(self, phase: str, done: Container[str], items: int) -> None:
        """Count the jobs of an item that failed as ended.

        Args:
            phase: Its phase.
            done: The stages that it has done.
            items: The number of items, more than one of a batch.
        """
        for one in self._stages:
            if one.phase == phase and one.stage not in done:
                self._so_far[one.stage].ended += items

    def share(self, now: float) -> float:
        """Return which share of the work is done, from 0 to 1.

        Args:
            now: The time, in seconds.
        """
        total = sum(one.jobs * self._mean(one) * self._vcpus(one) for one in self._stages)
        left = sum(self._core_seconds(one, now) for one in self._stages)
        return 1 - min(1.0, left / total) if total else 1.0

    def seconds(self, now: float) -> float | None:
        """Return the seconds that are left; None before a job has ended, since nothing was measured.

        Args:
            now: The time, in seconds.
        """
        if not any(one.measured for one in self._so_far.values()):
            return None
        return sum(self._phase(list(stages), now) for _, stages in groupby(self._stages, lambda one: one.phase))

    def _phase(self, stages: Sequence[ExpectedStage], now: float) -> float:
        """Return the seconds that a phase takes from now: its work over its cores, at least its longest item."""
        items = max(one.jobs - self._so_far[one.stage].ended for one in stages)
        work = sum(self._core_seconds(one, now) for one in stages)
        if not items or not work:
            return 0.0
        widest = max(self._vcpus(one) for one in stages)
        side_by_side = max(1.0, min(float(items), self._cores // max(widest, 1.0)))
        # At the end of a phase some cores have nothing to do: half of a job on average.
        idle = 0.75 * sum(map(self._mean, stages)) * (1 - 1 / side_by_side) * (items > side_by_side)
        slowest = 1 + self._variation() * math.sqrt(2 * math.log(side_by_side))  # of so many normal variates
        cores = min(side_by_side * widest, self._cores_in_use())
        return max(work / cores + idle, slowest * self._longest(stages, now))

    def _longest(self, stages: Sequence[ExpectedStage], now: float) -> float:
        """Return the longest time that one item takes from now."""
        longest = after = 0.0
        for one in reversed(stages):
            if self._waiting(one):
                longest = max(longest, after + self._mean(one))
            longest = max([longest, *(after + left for left in self._running(one, now))])
            after += self._mean(one)
        return longest

    def _core_seconds(self, one: ExpectedStage, now: float) -> float:
        return self._vcpus(one) * (self._waiting(one) * self._mean(one) + sum(self._running(one, now)))

    def _waiting(self, one: ExpectedStage) -> int:
        so_far = self._so_far[one.stage]
        return max(0, one.jobs - so_far.ended - len(so_far.running))

    def _running(self, one: ExpectedStage, now: float) -> Iterator[float]:
        """Yield the seconds that are left of each running job."""
        mean = self._mean(one)
        return (max(mean - (now - started), LEAST_SHARE * mean) for started in self._so_far[one.stage].running)

    def _vcpus(self, one: ExpectedStage) -> float:
        return self._so_far[one.stage].vcpus or min(one.vcpus, self._cores)

    def _mean(self, one: ExpectedStage) -> float:
        """Return the mean duration of a job: the prediction counts as one measurement."""
        so_far, predicted = self._so_far[one.stage], one.seconds * self._ratio()
        return (so_far.seconds + predicted) / (so_far.measured + 1)

    def _variation(self) -> float:
        """Return the coefficient of variation of the durations of a stage's jobs, over all stages."""
        squares = mean_squares = 0.0
        for one in self._so_far.values():
            if one.measured > 1:
                squares += one.squares
                mean_squares += one.seconds**2 / one.measured
        return math.sqrt(max(0.0, squares / mean_squares - 1)) if mean_squares else 0.0

    def _ratio(self) -> float:
        """Return the durations that were measured over those that were predicted; 1 before the first."""
        measured = sum(one.seconds for one in self._so_far.values())
        predicted = sum(one.seconds * self._so_far[one.stage].measured for one in self._stages)
        return measured / predicted if measured and predicted else 1.0
