"""The durations of jobs: predicted ones, corrected by what is measured in this execution."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from genomics_pipeline.report.duration_levels import DurationLevels, StageSums, above, hazard
from genomics_pipeline.report.share_curves import SeenShare, ShareCurve, ShareTrack

PRIOR_SPREAD, PRIOR_WEIGHT = 0.15, 4  # of the logarithm of durations over predictions, before any is known
SHORT_S = 0.05  # by which durations differ whatever they are, so that tiny jobs say little
LEAST_SHARE = 0.02  # of its duration is left of a job that takes longer than expected
UNLIKELY = -3.0  # standard deviations before its likely end, a job that runs says nothing yet
ROUNDS = 4  # in which the levels and the likely ends of running jobs are found, each from the other


@dataclass(slots=True)
class _StageSoFar:
    """The measured jobs of a stage.

    Attributes:
        ended: The logarithm of the predicted duration of each job that ended, in seconds, and of the ratio to it.
        logs: The ratios' logarithms together.
        squares: The squares of these.
        seconds: Their durations together.
        lost: The durations of attempts that failed, together.
        given_up: The number of jobs whose items were given up.
        curve: How the shares of its jobs relate to their time.
    """

    ended: list[tuple[float, float]] = field(default_factory=list)
    logs: float = 0.0
    squares: float = 0.0
    seconds: float = 0.0
    lost: float = 0.0
    given_up: int = 0
    curve: ShareCurve = field(default_factory=ShareCurve)

    def add(self, predicted: float, seconds: float) -> None:
        """Add a job that ended."""
        log = _log(seconds) - _log(predicted)
        self.ended.append((_log(predicted), log))
        self.seconds += seconds
        self.logs += log
        self.squares += log * log


@dataclass(frozen=True, slots=True)
class RunningPart:
    """A job that runs.

    Attributes:
        stage: Its stage.
        predicted: Its predicted duration, in seconds.
        elapsed: The seconds since its start.
        seen: The share of its work that is seen to be done; None where none is.
    """

    stage: str
    predicted: float
    elapsed: float
    seen: SeenShare | None = None


class MeasuredDurations:
    """The durations of an execution's jobs that were measured so far.

    Args:
        deviations: See `DurationLevels`.
    """

    def __init__(self, deviations: Mapping[str, float]) -> None:
        self._stages: dict[str, _StageSoFar] = {}
        self._deviations = deviations

    def end(self, stage: str, predicted: float, seconds: float, track: ShareTrack | None = None) -> None:
        """Count a job that succeeded.

        Args:
            stage: Its stage.
            predicted: Its predicted duration, in seconds.
            seconds: Its duration.
            track: The shares that were seen of it.
        """
        self._of(stage).add(predicted, seconds)
        if track is not None:
            self._of(stage).curve.end(track, seconds)

    def fail(self, stage: str, seconds: float) -> None:
        """Count an attempt that failed, after some seconds."""
        self._of(stage).lost += seconds

    def give_up(self, stage: str, seconds: float) -> None:
        """Count a job whose item was given up, so that its last attempt is not tried again.

        Args:
            stage: Its stage.
            seconds: The duration of the last attempt.
        """
        so_far = self._of(stage)
        so_far.given_up += 1
        so_far.lost = max(0.0, so_far.lost - seconds)

    def _of(self, stage: str) -> _StageSoFar:
        return self._stages.setdefault(stage, _StageSoFar())

    def now(self, running: list[RunningPart]) -> Durations:
        """Return the durations to expect.

        Args:
            running: The jobs that run.
        """
        spread = self._spread()
        wholes = [self._of(one.stage).curve.whole(one.seen) if one.seen else None for one in running]
        sums = {name: _sums(one.ended, spread) for name, one in self._stages.items() if one.ended}
        silent = []
        for one, whole in zip(running, wholes, strict=True):
            if whole is None:
                silent.append(one)
            else:
                x, (log, deviation) = _log(one.predicted), whole
                sums.setdefault(one.stage, StageSums()).add(x, log - x, 1 / (spread**2 + deviation**2))
        levels = self._with_silent(sums, silent, spread)
        known = {one: whole for one, whole in zip(running, wholes, strict=True) if whole}
        losses = {name: self._losses(name, levels, running) for name in self._stages}
        return Durations(levels, spread, losses, known)

    def _losses(self, stage: str, levels: DurationLevels, running: list[RunningPart]) -> Losses:
        """Return how often jobs of a stage fail: what runs has not failed so far, although failures end early."""
        so_far = self._of(stage)
        parts = [one for one in running if one.stage == stage]
        seconds = so_far.seconds + sum(one.elapsed for one in parts)
        jobs = float(len(so_far.ended) + so_far.given_up)
        jobs += sum(min(1.0, one.elapsed / _mean(levels, stage, one.predicted)) for one in parts)
        return Losses(so_far.lost / seconds if seconds else 0.0, so_far.given_up / jobs if jobs else 0.0)

    def _with_silent(self, sums: dict[str, StageSums], silent: list[RunningPart], spread: float) -> DurationLevels:
        """Return the levels of stages, of which jobs that run are known to take at least the time that has passed.

        Such a job counts as one of the most likely duration above that time, with the weight of what is known of it:
        none before its likely end is near, and that of a job that ended once it takes much longer.

        Args:
            sums: The sums of each stage over the jobs whose durations are known.
            silent: The jobs that run, of which no more is known.
            spread: The standard deviation of the logarithm of a job's duration over its expected one.
        """
        levels = DurationLevels(sums, self._deviations)
        for _ in range(ROUNDS):
            with_silent = {name: one.copy() for name, one in sums.items()}
            for one in silent:
                x = _log(one.predicted)
                level = levels.level(one.stage, x)
                place = (_log(one.elapsed) - x - level) / spread
                if place > UNLIKELY:
                    slope = hazard(place)
                    weight = slope * (slope - place) / spread**2
                    with_silent.setdefault(one.stage, StageSums()).add(x, level + spread / (slope - place), weight)
            levels = DurationLevels(with_silent, self._deviations)
        return levels

    def _spread(self) -> float:
        """Return the standard deviation of the logarithms of durations over predictions, within stages."""
        squares, freedom = PRIOR_WEIGHT * PRIOR_SPREAD**2, float(PRIOR_WEIGHT)
        for one in self._stages.values():
            if len(one.ended) > 1:
                squares += max(0.0, one.squares - one.logs**2 / len(one.ended))
                freedom += len(one.ended) - 1
        return min(1.0, math.sqrt(squares / freedom))


def _log(seconds: float) -> float:
    return math.log(max(seconds, 1e-3))


def _sums(ended: list[tuple[float, float]], spread: float) -> StageSums:
    sums = StageSums()
    for x, y in ended:
        sums.add(x, y, 1 / (spread**2 + SHORT_S**2 * math.exp(-2 * x)))
    return sums


def _mean(levels: DurationLevels, stage: str, predicted: float) -> float:
    return max(1e-3, predicted * math.exp(levels.level(stage, _log(predicted))))


@dataclass(frozen=True, slots=True)
class Losses:
    """The failures of a stage's jobs.

    Attributes:
        again: The time of attempts that failed, for each second of those that did not.
        given_up: The share of the jobs whose items are given up.
    """

    again: float = 0.0
    given_up: float = 0.0


class Durations:
    """The durations of jobs to expect at one moment: the most likely ones, or some that may be.

    Args:
        levels: The levels of the stages.
        spread: The standard deviation of the logarithm of a job's duration over its expected one.
        losses: The failures of each stage's jobs.
        wholes: The logarithm of the duration and its standard deviation, of running jobs of which a share is seen.
        chosen: The random numbers; None for the most likely durations.
        place: The quantile of the machine's level, from 0 to 1.
    """

    def __init__(
        self,
        levels: DurationLevels,
        spread: float,
        losses: dict[str, Losses],
        wholes: dict[RunningPart, tuple[float, float]],
        chosen: Random | None = None,
        place: float = 0.5,
    ) -> None:
        self._levels, self._spread, self._losses, self._wholes = levels, spread, losses, wholes
        self._chosen, self._machine = chosen, levels.draw_machine(place)
        self._own: dict[str, float] = {}
        self._owed: dict[str, float] = {}  # of the items that are given up on average, the part that is not yet

    def draw(self, chosen: Random, place: float) -> Durations:
        """Return durations that may be.

        Args:
            chosen: The random numbers.
            place: The quantile of the machine's level, from 0 to 1.
        """
        return Durations(self._levels, self._spread, self._losses, self._wholes, chosen, place)

    def _level(self, stage: str, x: float) -> float:
        if stage not in self._own:
            self._own[stage] = self._chosen.gauss() if self._chosen else 0.0
        return self._levels.level(stage, x, self._machine, self._own[stage])

    def seconds(self, stage: str, predicted: float) -> float:
        """Return the duration of all attempts of a job that has not started.

        Args:
            stage: Its stage.
            predicted: Its predicted duration, in seconds.
        """
        x = _log(predicted)
        chance = self._chosen.gauss(0.0, self._spread) if self._chosen else self._spread**2 / 2
        return math.exp(x + self._level(stage, x) + chance) * (1 + self._losses.get(stage, Losses()).again)

    def is_given_up(self, stage: str) -> bool:
        """Return whether the item of a job is given up, as often as it was so far."""
        share = self._losses.get(stage, Losses()).given_up
        if self._chosen is not None:
            return bool(share) and self._chosen.random() < share
        whole, self._owed[stage] = divmod(self._owed.get(stage, 0.0) + share, 1.0)
        return bool(whole)

    def left(self, job: RunningPart) -> float:
        """Return the seconds that are left of a job that runs."""
        x, elapsed = _log(job.predicted), max(job.elapsed, 1e-3)
        mean, deviation = x + self._level(job.stage, x), self._spread
        if whole := self._wholes.get(job):
            weight = deviation**2 / (deviation**2 + whole[1] ** 2)
            mean, deviation = mean + weight * (whole[0] - mean), math.sqrt(weight) * whole[1]
        log = above(mean, deviation, math.log(elapsed), self._chosen)
        return max(math.exp(log) - elapsed, LEAST_SHARE * math.exp(mean))

    def deviation(self, stage: str) -> float:
        """Return the standard deviation of the logarithm of what the jobs of a stage take together."""
        return self._levels.deviation(stage)
