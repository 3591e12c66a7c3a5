"""Drawn durations and failures of tasks, for a simulation: seeded, and the same for the same workload."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from genomics_pipeline.model.faults import Faults
from genomics_pipeline.planning.injection import inject
from genomics_pipeline.planning.resource_model import Quantiles
from genomics_pipeline.planning.scripts import MOST_LOST, TaskScript
from genomics_pipeline.planning.workload import StageWork

Z90 = 1.2815515655446004  # the 90 % quantile of the standard normal distribution
SHARED = 0.5  # of the variance: how far all tasks of a step differ together from the model
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FailureRates:
    """The rates at which jobs fail.

    Attributes:
        host_lost: Losses of a Spot host in an hour.
        tool_error: The share of tasks whose program fails for good.
        faults: The faults that are injected besides; None for none.
    """

    host_lost: float = 0.005
    tool_error: float = 0.0
    faults: Faults | None = None


@dataclass(frozen=True, slots=True)
class DrawnStage:
    """The drawn fate of a stage's tasks.

    Attributes:
        seconds: The duration of each task; a batch of items takes that of all of them.
        scripts: The scripts of the tasks of which a job fails, by index.
        refused: How often the submission of a task's first job is refused, by index.
    """

    seconds: Floats
    scripts: Mapping[int, TaskScript]
    refused: Mapping[int, int] = field(default_factory=dict)


def draw(work: StageWork, rates: FailureRates, quantile: float, rng: np.random.Generator) -> DrawnStage:
    """Return durations and failures of the tasks of a stage.

    Args:
        work: The stage.
        rates: How often jobs fail.
        quantile: By how much all of its tasks together are slower than the model says: 0.5 for not at all.
        rng: The source of chance.
    """
    tasks = work.tasks
    seconds, kills, rungs = np.empty(tasks), np.zeros(tasks, dtype=np.int64), np.zeros(tasks, dtype=np.int64)
    for group in work.groups:
        index = np.asarray(group.tasks)
        spread = _sigma(group.estimate.seconds)
        shared = math.exp(spread * math.sqrt(SHARED) * _z(quantile))
        own = np.exp(spread * math.sqrt(1 - SHARED) * rng.standard_normal(len(index)))
        seconds[index] = group.estimate.seconds.p50 * np.asarray(group.items) * shared * own
        needs = np.exp(_sigma(group.estimate.peak_memory_mib) * rng.standard_normal(len(index)))
        ladder = group.memory_ladder(work.stage.step)
        kills[index] = np.searchsorted(np.asarray(ladder), group.estimate.peak_memory_mib.p50 * needs)
        rungs[index] = len(ladder) if group.first_attempt else 0
    rungs[kills == 0] = 0
    lost = _losses(seconds, rates.host_lost, rng)
    fails = rng.random(tasks) < rates.tool_error
    troubled = np.flatnonzero((kills > 0) | (lost > 0) | fails)
    scripts = {int(one): _script(kills[one], lost[one], fails[one], rungs[one]) for one in troubled}
    injected = inject(rates.faults, work, tasks, scripts)
    return DrawnStage(seconds, injected.scripts, injected.refused)


def _script(kills: np.int64, lost: np.int64, fails: np.bool_, rungs: np.int64) -> TaskScript:
    return TaskScript(int(kills), int(lost), bool(fails), int(rungs))


def _losses(seconds: Floats, rate: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return how often each task loses its host before an attempt ends, at most `MOST_LOST` times."""
    chance = -np.expm1(-rate * seconds / 3600)
    lost = np.zeros(len(seconds), dtype=np.int64)
    alive = np.ones(len(seconds), dtype=bool)
    for _ in range(MOST_LOST):
        alive &= rng.random(len(seconds)) < chance
        lost += alive
    return lost


def _sigma(quantiles: Quantiles) -> float:
    """Return the standard deviation of the logarithm."""
    return math.log(quantiles.p90 / quantiles.p10) / (2 * Z90) if quantiles.p10 > 0 else 0.0


def _z(quantile: float) -> float:
    """Return the quantile of the standard normal distribution for 0.1, 0.5 or 0.9."""
    return {0.1: -Z90, 0.5: 0.0, 0.9: Z90}[quantile]
