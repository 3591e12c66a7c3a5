"""A resource model that is learned from what earlier tasks needed."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from statistics import NormalDist

import numpy as np

from genomics_pipeline.model.first_attempt import FirstAttempt
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.planning.history.observation import Observation
from genomics_pipeline.planning.history.quantile_line import QuantileLine, fit_line
from genomics_pipeline.planning.resource_model import (
    Quantiles,
    ResourceModel,
    TaskEstimate,
    TaskFeatures,
    UnknownStep,
    first_rung_mib,
)

MOST_OBSERVATIONS = 1_000  # of a step: more change a fit by less than tasks differ, and take time with their square
FEWEST_FOR_QUANTILES = 10  # below, a tenth of the tasks is less than one of them
ASSUMED_SPREAD = 0.25  # of a tenth of the tasks from the median, where there are fewer
FEWEST_SIZES = 1.5  # the least ratio of the largest size to the smallest that tells a slope from a fixed part
MARGIN = 0.05  # above all that was seen, where there are too few observations for a quantile of 99 %
FARTHEST = 2.0  # times the largest input that was seen: beyond, memory may grow otherwise
TIMEOUT_FACTOR = 4  # above the time of 99 of 100 tasks: hosts differ, and a task that hangs costs no more than this
LEAST_TIMEOUT_S = 900

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
        self._other_versions: dict[str, set[str]] = defaultdict(set)
        for one in observations:
            if versions.get(one.step) == one.version:
                by_step[one.step].append(one)
            else:
                self._other_versions[one.step].add(one.version)
        self._by_step = {step: _thin(found) for step, found in by_step.items()}

    @property
    def steps(self) -> frozenset[str]:
        """The steps with observations."""
        return frozenset(self._by_step)

    def estimate(self, step: str, features: TaskFeatures) -> TaskEstimate:
        """Return what a task of a step needs; see `ResourceModel.estimate`."""
        if (observations := self._by_step.get(step)) is None:
            return self._fallback.estimate(step, features)

        growth = self._growth(step, features, observations)

        def quantiles(need: Need, ratio: float | None) -> Quantiles:
            return _quantiles(observations, need, features.input_bytes, ratio)

        return TaskEstimate(
            seconds=quantiles(lambda one: one.seconds_on(features.vcpus), growth.seconds),
            processor_seconds=quantiles(lambda one: one.processor_seconds, growth.processor_seconds),
            peak_memory_mib=quantiles(_memory, 1.0 if growth.is_one_size else None),
            output_bytes=quantiles(lambda one: one.output_bytes, growth.output_bytes),
            basis=_basis(observations, features.input_bytes, growth),
            outputs={
                name: quantiles(partial(_output, name), growth.output(name)).p50 for name in observations[0].outputs
            },
        )

    def _growth(self, step: str, features: TaskFeatures, observations: Sequence[Observation]) -> _Growth:
        """Return by how much needs grow from the size of all observations, where they have one; see `_Growth`."""
        sizes = [float(one.input_bytes) for one in observations]
        if _differ(sizes):
            return _Growth(is_one_size=False)
        size = float(np.median(sizes))
        proportion = features.input_bytes / max(size, 1.0)
        try:
            before = self._fallback.estimate(step, replace(features, input_bytes=int(size)))
            after = self._fallback.estimate(step, features)
        except UnknownStep:
            return _Growth(True, proportion, proportion, proportion)

        def ratio(need: Callable[[TaskEstimate], float]) -> float:
            return need(after) / need(before) if need(before) > 0 else proportion

        return _Growth(
            True,
            ratio(lambda one: one.seconds.p50),
            ratio(lambda one: one.processor_seconds.p50),
            ratio(lambda one: one.output_bytes.p50),
            {name: ratio(lambda one, name=name: one.outputs[name]) for name in before.outputs},  # type: ignore[misc]
            is_calibrated=True,
        )

    def first_attempt(self, step: StepSpec, features: TaskFeatures) -> FirstAttempt | None:
        """Return the first attempt of which 99 of 100 tasks have enough; None where `lacks` says why.

        The memory is at most the last entry of the step's ladder, the timeout at most that of the step.
        """
        if self.lacks(step, features.input_bytes):
            return None
        observations = self._comparable(step)
        size = max(features.input_bytes, min(one.input_bytes for one in observations))

        def upper(need: Need) -> float:
            return _upper_line(observations, need).at(size)

        memory_mib = first_rung_mib(upper(_memory))
        seconds = math.ceil(upper(_seconds_on(features.vcpus)) * TIMEOUT_FACTOR)
        resources = step.resources
        return FirstAttempt(
            min(memory_mib, resources.memory_ladder[-1]), min(max(seconds, LEAST_TIMEOUT_S), resources.timeout_s)
        )

    def lacks(self, step: StepSpec, input_bytes: int) -> str:
        """Return why a task of the step has no learned first attempt; empty if it has one."""
        observations = self._comparable(step)
        found = len(observations)
        if found < FEWEST_FOR_QUANTILES:
            expected = f"{FEWEST_FOR_QUANTILES} records of {step.name} {step.version} with {step.resources.vcpus} cores"
            all_records, others = len(self._by_step.get(step.name, ())), self._other_versions.get(step.name, ())
            fewer = f" and {all_records - found} with fewer" if all_records > found else ""
            versions = f", and some of {', '.join(sorted(others))}" if others else ""
            return f"expected {expected} or more, found {found}{fewer}{versions}"
        largest = max(one.input_bytes for one in observations)
        if input_bytes > FARTHEST * largest:
            return f"expected inputs of at most {FARTHEST:g} times the largest of the records, {largest:,} bytes"
        return ""

    def _comparable(self, step: StepSpec) -> tuple[Observation, ...]:
        """Return the tasks of a step that had its cores: with fewer, programs need less memory."""
        return tuple(one for one in self._by_step.get(step.name, ()) if one.vcpus >= step.resources.vcpus)


@dataclass(frozen=True, slots=True)
class _Growth:
    """The growth of needs from the size of observations that all have one, which tell no slope from a fixed part.

    The calibrated rates of the step say how its needs grow; without them, they are in proportion to the size, so that
    a pilot is not too hopeful. Memory stays, since most of it holds the reference.

    Attributes:
        is_one_size: Whether the observations have one size.
        seconds: The ratio of durations; None where the sizes differ.
        processor_seconds: That of times on all cores.
        output_bytes: That of the sizes of outputs.
        outputs: That of the size of each output.
        is_calibrated: Whether calibrated rates say so.
    """

    is_one_size: bool
    seconds: float | None = None
    processor_seconds: float | None = None
    output_bytes: float | None = None
    outputs: Mapping[str, float] = field(default_factory=dict)
    is_calibrated: bool = False

    def output(self, name: str) -> float | None:
        """Return the ratio of the sizes of an output."""
        return self.outputs.get(name, self.output_bytes)


def _memory(one: Observation) -> float:
    return one.peak_memory_mib


def _seconds_on(vcpus: float) -> Need:
    return lambda one: one.seconds_on(vcpus)


def _output(name: str, one: Observation) -> float:
    return one.outputs.get(name, 0)


def _thin(observations: list[Observation]) -> tuple[Observation, ...]:
    """Return at most `MOST_OBSERVATIONS`, evenly spread over the sizes."""
    ordered = sorted(observations, key=lambda one: (one.input_bytes, one.seconds))
    count = min(len(ordered), MOST_OBSERVATIONS)
    return tuple(ordered[index * len(ordered) // count] for index in range(count))


def _quantiles(observations: Sequence[Observation], need: Need, size: int, ratio: float | None) -> Quantiles:
    """Return the quantiles of a need for a size.

    Args:
        observations: The observations.
        need: The need.
        size: The size.
        ratio: By how much the need grows from that of the observations, of one size; None to regress over sizes.
    """

    def at(quantile: float) -> float:
        if ratio is not None:
            return float(np.quantile([need(one) for one in observations], quantile)) * ratio
        return _line(observations, need, quantile).at(size)

    if len(observations) < FEWEST_FOR_QUANTILES:
        median = at(0.5)
        return Quantiles(median * (1 - ASSUMED_SPREAD), median, median * (1 + ASSUMED_SPREAD))
    p10, p50, p90 = sorted(map(at, (0.1, 0.5, 0.9)))
    return Quantiles(p10, p50, p90)  # lines of quantiles may cross where there are no observations


def _line(observations: Sequence[Observation], need: Need, quantile: float) -> QuantileLine:
    """Return the line of a quantile; of sizes that are all alike, a fixed one."""
    sizes = tuple(float(one.input_bytes) for one in observations)
    needs = tuple(map(need, observations))
    if _differ(sizes):
        return _fitted(sizes, needs, quantile)
    return QuantileLine(float(np.quantile(needs, quantile)), 0.0)


def _upper_line(observations: Sequence[Observation], need: Need) -> QuantileLine:
    """Return a line that 99 of 100 new tasks do not exceed.

    The median line is raised by the ratio that 99 % of the observations stay below (a conformal quantile), or, of fewer
    than 99, by the highest ratio and a margin, or by that of a log-normal distribution if it is higher.
    """
    line = _line(observations, need, 0.5)
    ratios = sorted(max(1e-9, need(one)) / max(1e-9, line.at(one.input_bytes)) for one in observations)
    rank = math.ceil((len(ratios) + 1) * 0.99)
    ratio = ratios[rank - 1] if rank <= len(ratios) else max(ratios[-1] * (1 + MARGIN), _log_normal_bound(ratios))
    return QuantileLine(line.fixed * ratio, line.slope * ratio)


def _log_normal_bound(values: Sequence[float]) -> float:
    """Return what one more value does not exceed in 99 of 100 cases: the prediction interval of a normal sample.

    Student's quantile is that of Cornish and Fisher's expansion (Abramowitz and Stegun, 26.7.5).
    """
    logs, free, z = np.log(values), len(values) - 1, NormalDist().inv_cdf(0.99)
    student = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    return math.exp(float(np.mean(logs)) + student * float(np.std(logs, ddof=1)) * math.sqrt(1 + 1 / len(values)))


def _differ(sizes: Sequence[float]) -> bool:
    return max(sizes) > 0 and max(sizes) >= FEWEST_SIZES * min(sizes)


def _basis(observations: Sequence[Observation], size: int, growth: _Growth) -> str:
    sizes = [one.input_bytes for one in observations]
    hosts = ", ".join(sorted({one.host or "a machine outside of AWS" for one in observations}))
    words = [f"{len(observations):,} tasks of earlier runs on {hosts}"]
    if len(observations) < FEWEST_FOR_QUANTILES:
        words.append(f"so few that their spread is assumed: {ASSUMED_SPREAD:.0%}")
    if growth.is_one_size:
        grows = "as the calibrated rates grow with it" if growth.is_calibrated else "in proportion to it"
        words.append(f"whose inputs are of one size: {grows}, memory alike")
    elif size > 10 * max(sizes):
        words.append(f"whose inputs have at most {max(sizes) / size:.1%} of the size")
    return ", ".join(words)
