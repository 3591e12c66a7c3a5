"""The levels of durations: how much longer the jobs of each stage take than predicted, as far as it is known.

The logarithm of a job's duration over its predicted one is the sum of a part of the machine, one of its stage, one of
its size, and chance. Each part is normally distributed before anything is measured, so that a single job already says
something of all stages, and more of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from statistics import NormalDist

from genomics_pipeline.planning.resource_model import STEP_DEVIATION

EXPONENT = 0.15  # the standard deviation of that by which durations grow with predicted ones, before any is measured
USUAL, MACHINE = 0.6, 0.9  # those of this machine's level, if predictions were measured elsewhere: usually, and at most
ROUNDS = 4  # in which the level of the machine is found: the farther it is, the less counts what was expected of it
_NORMAL = NormalDist()


@dataclass(slots=True)
class StageSums:
    """Weighted sums over the measured jobs of a stage; y is the logarithm of a ratio, x that of a prediction."""

    weight: float = 0.0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0

    def add(self, x: float, y: float, weight: float) -> None:
        """Add a job.

        Args:
            x: The logarithm of its predicted duration, in seconds.
            y: The logarithm of its duration over the predicted one.
            weight: The inverse of the variance of y.
        """
        self.weight += weight
        self.x += weight * x
        self.y += weight * y
        self.xx += weight * x * x
        self.xy += weight * x * y

    def copy(self) -> StageSums:
        """Return sums to which jobs can be added without a change of these."""
        return StageSums(self.weight, self.x, self.y, self.xx, self.xy)


@dataclass(frozen=True, slots=True)
class _MeasuredStage:
    """A measured stage: the mean of its logarithms, its share in its level, and the growth with size.

    Attributes:
        ratio: The mean of the logarithms of its jobs.
        trust: The weight of that mean, against that of the other stages, from 0 to 1.
        deviation: The standard deviation of its level once the machine is known.
        center: The mean logarithm of its predictions.
        exponent: By how much the logarithm grows with that of the prediction.
    """

    ratio: float
    trust: float
    deviation: float
    center: float
    exponent: float


class DurationLevels:
    """The levels of stages, from the jobs that were measured.

    Args:
        sums: The sums of each stage that has measured jobs.
        deviations: The standard deviation of the level of each stage before any are measured; see
            `TaskEstimate.deviation`.
    """

    def __init__(self, sums: Mapping[str, StageSums], deviations: Mapping[str, float]) -> None:
        self._unmeasured = deviations
        expected = USUAL * min(deviations.values(), default=STEP_DEVIATION) / STEP_DEVIATION
        measured, total, self._stages = 0.0, 0.0, dict[str, _MeasuredStage]()
        for name, one in sums.items():
            if one.weight > 0:
                self._stages[name] = _measured(one, self._before(name))
                own = 1 / (self._before(name) ** 2 + 1 / one.weight)
                measured += own
                total += own * one.y / one.weight
        self.machine = total / measured if measured else 0.0
        for _ in range(ROUNDS):
            # The tails of a Cauchy distribution: others may use a machine that earlier runs told of.
            precision = measured + 1 / min(MACHINE**2, expected**2 + self.machine**2)
            self.machine = total / precision
        self.machine_deviation = math.sqrt(1 / precision)

    def _before(self, stage: str) -> float:
        """Return the standard deviation of the level of a stage before any of its jobs is measured."""
        return self._unmeasured.get(stage, STEP_DEVIATION)

    def level(self, stage: str, x: float, machine: float | None = None, own: float = 0.0) -> float:
        """Return the logarithm of the ratio of a job's duration to the predicted one.

        Args:
            stage: Its stage.
            x: The logarithm of the predicted duration.
            machine: The level of the machine; None for the most likely one.
            own: By how much the stage differs from its most likely level, in standard deviations.
        """
        machine = self.machine if machine is None else machine
        one = self._stages.get(stage)
        if one is None:
            return machine + own * self._before(stage)
        level = machine + one.trust * (one.ratio - machine) + own * one.deviation
        return level + one.exponent * (x - one.center)

    def deviation(self, stage: str) -> float:
        """Return the standard deviation of the level of a stage."""
        one = self._stages.get(stage)
        own, of_machine = (self._before(stage), 1.0) if one is None else (one.deviation, 1 - one.trust)
        return math.hypot(own, of_machine * self.machine_deviation)

    def draw_machine(self, place: float) -> float:
        """Return a level that the machine may have; `place` is the quantile, from 0 to 1."""
        return self.machine + self.machine_deviation * _NORMAL.inv_cdf(place)


def _measured(one: StageSums, deviation: float) -> _MeasuredStage:
    center, precision = one.x / one.weight, 1 / deviation**2 + one.weight
    of_sizes = 1 / EXPONENT**2 + max(0.0, one.xx - one.x * center)
    return _MeasuredStage(
        one.y / one.weight,
        one.weight / precision,
        math.sqrt(1 / precision),
        center,
        (one.xy - one.x * one.y / one.weight) / of_sizes,
    )


def hazard(place: float) -> float:
    """Return the density of a standard normal distribution at a place over its part above.

    >>> round(hazard(0.0), 3), round(hazard(30.0), 1)
    (0.798, 30.0)
    """
    if place > 20:
        return place + 1 / place
    return math.sqrt(2 / math.pi) * math.exp(-place * place / 2) / math.erfc(place / math.sqrt(2))


def above(mean: float, deviation: float, bound: float, chosen: Random | None) -> float:
    """Return a value of a normal distribution above a bound, or the median of such values.

    Args:
        mean: The mean of the distribution.
        deviation: Its standard deviation.
        bound: The bound.
        chosen: The random numbers; None for the median.
    """
    before = _NORMAL.cdf((bound - mean) / deviation)
    at = before + (1 - before) * (chosen.random() if chosen else 0.5)
    if at > 1 - 1e-9:
        return bound
    return mean + deviation * _NORMAL.inv_cdf(max(at, 1e-9))
