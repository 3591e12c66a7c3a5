"""A resource model that is learned from what earlier tasks needed."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from genomics_pipeline.planning.history.observation import Observation
from genomics_pipeline.planning.history.quantile_line import QuantileLine, fit_line
from genomics_pipeline.planning.resource_model import Quantiles, ResourceModel, TaskEstimate, TaskFeatures, UnknownStep

MOST_OBSERVATIONS = 1_000  # of a step: more change a fit by less than tasks differ, and take time with their square
FEWEST_FOR_QUANTILES = 10  # below, a tenth of the tasks is less than one of them
ASSUMED_SPREAD = 0.25  # of a tenth of the tasks from the median, where there are fewer
FEWEST_SIZES = 1.5  # the least ratio of the largest size to the smallest that tells a slope from a fixed part
MEMORY_MARGIN = 0.05  # above all that was seen, where there are too few observations for a quantile of 99 %
WORKER_MIB = 128  # of the process around the program, which its peak does not include

Need = Callable[[Observation], float]

_fitted = lru_cache(maxsize=256)(fit_line)


class LearnedModel:
    """Estimates by quantile regression over the sizes of inputs, for each step.

    Args:
        observations: Tasks of earlier runs.
        versions: The version of each step to estimate; observations of others are left out.
        fallback: The model of steps without observations.
    """

    def __init__(
        self, observations: Iterable[Observation], versions: Mapping[str, str], fallback: ResourceModel
    ) -> None:
        self._fallback = fallback
        by_step: dict[str, list[Observation]] = defaultdict(list)
        for one in observations:
            if versions.get(one.step) == one.version:
                by_step[one.step].append(one)
        self._by_step = {step: _thin(found) for step, found in by_step.items()}

    @property
    def steps(self) -> frozenset[str]:
        """The steps with observations."""
        return frozenset(self._by_step)

    def estimate(self, step: str, features: TaskFeatures) -> TaskEstimate:
        """Return what a task of a step needs; see `ResourceModel.estimate`."""
        if (observations := self._by_step.get(step)) is None:
            return self._fallback.estimate(step, features)

        def quantiles(need: Need) -> Quantiles:
            return _quantiles(observations, need, features.input_bytes)

        return TaskEstimate(
            seconds=quantiles(lambda one: one.seconds_on(features.vcpus)),
            processor_seconds=quantiles(lambda one: one.processor_seconds),
            peak_memory_mib=quantiles(_memory),
            output_bytes=quantiles(lambda one: one.output_bytes),
            basis=_basis(observations, features.input_bytes),
        )

    def first_memory_mib(self, step: str, input_bytes: int) -> int:
        """Return memory that 99 of 100 tasks of the step do not exceed.

        The median line is raised by the ratio that 99 % of the observations stay below (a conformal quantile), or, of
        fewer than 99, by the highest ratio and a margin.

        Raises:
            UnknownStep: if no observation is of the step in its version.
        """
        if (observations := self._by_step.get(step)) is None:
            raise UnknownStep(step)
        line = _line(observations, _memory, 0.5)
        ratios = sorted(_memory(one) / max(1.0, line.at(one.input_bytes)) for one in observations)
        rank = math.ceil((len(ratios) + 1) * 0.99)
        ratio = ratios[rank - 1] if rank <= len(ratios) else ratios[-1] * (1 + MEMORY_MARGIN)
        return math.ceil(line.at(input_bytes) * ratio) + WORKER_MIB


def _memory(one: Observation) -> float:
    return one.peak_memory_mib


def _thin(observations: list[Observation]) -> tuple[Observation, ...]:
    """Return at most `MOST_OBSERVATIONS`, evenly spread over the sizes."""
    ordered = sorted(observations, key=lambda one: (one.input_bytes, one.seconds))
    count = min(len(ordered), MOST_OBSERVATIONS)
    return tuple(ordered[index * len(ordered) // count] for index in range(count))


def _quantiles(observations: Sequence[Observation], need: Need, size: int) -> Quantiles:
    if len(observations) < FEWEST_FOR_QUANTILES:
        median = _line(observations, need, 0.5).at(size)
        return Quantiles(median * (1 - ASSUMED_SPREAD), median, median * (1 + ASSUMED_SPREAD))
    p10, p50, p90 = sorted(_line(observations, need, quantile).at(size) for quantile in (0.1, 0.5, 0.9))
    return Quantiles(p10, p50, p90)  # lines of quantiles may cross where there are no observations


def _line(observations: Sequence[Observation], need: Need, quantile: float) -> QuantileLine:
    """Return the line of a quantile.

    If all sizes are alike, nothing tells a slope from a fixed part. Memory is then fixed, since most of it holds the
    reference, and all else is in proportion to the size, so that a pilot is not too hopeful.
    """
    sizes = tuple(float(one.input_bytes) for one in observations)
    needs = tuple(map(need, observations))
    if _differ(sizes):
        return _fitted(sizes, needs, quantile)
    if need is _memory:
        return QuantileLine(float(np.quantile(needs, quantile)), 0.0)
    rates = [each / max(size, 1.0) for size, each in zip(sizes, needs, strict=True)]
    return QuantileLine(0.0, float(np.quantile(rates, quantile)))


def _differ(sizes: Sequence[float]) -> bool:
    return max(sizes) > 0 and max(sizes) >= FEWEST_SIZES * min(sizes)


def _basis(observations: Sequence[Observation], size: int) -> str:
    sizes = [one.input_bytes for one in observations]
    hosts = ", ".join(sorted({one.host or "a machine outside of AWS" for one in observations}))
    words = [f"{len(observations):,} tasks of earlier runs on {hosts}"]
    if len(observations) < FEWEST_FOR_QUANTILES:
        words.append(f"so few that their spread is assumed: {ASSUMED_SPREAD:.0%}")
    if not _differ([float(one) for one in sizes]):
        words.append("whose inputs are of one size: in proportion to it, memory alike")
    elif size > 10 * max(sizes):
        words.append(f"whose inputs have at most {max(sizes) / size:.1%} of the size")
    return ", ".join(words)
