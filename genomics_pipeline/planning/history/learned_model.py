"""A resource model that is learned from what earlier tasks needed."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, lru_cache, partial
from statistics import NormalDist

import numpy as np

from genomics_pipeline.model.first_attempt import FirstAttempt
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.planning.history.growth import grown, in_proportion
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
        genome_bases: The length of the reference, by which tasks are compared with rates; 0 if it is not known.
    """

    def __init__(
        self,
        observations: Iterable[Observation],
        versions: Mapping[str, str],
        fallback: ResourceModel,
        genome_bases: int = 0,
    ) -> None:
        self._fallback, self.genome_bases = fallback, genome_bases
        self._rates = cache(fallback.estimate)
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
        tasks, words = self._of_size(step, features, observations)

        def quantiles(need: Need, of: Sequence[Observation] = tasks) -> Quantiles:
            return _quantiles(of, need, features.input_bytes)

        estimate = TaskEstimate(
            seconds=quantiles(_seconds_on(features.vcpus) if tasks is observations else _seconds),
            processor_seconds=quantiles(lambda one: one.processor_seconds),
            peak_memory_mib=quantiles(_memory, observations),
            output_bytes=quantiles(lambda one: one.output_bytes),
            basis=_basis(observations, features.input_bytes, words),
            outputs={name: quantiles(partial(_output, name)).p50 for name in observations[0].outputs},
        )
        of_depth = all(one.depth_share < 1 for one in observations)
        return self._of_depth(step, features, observations, estimate) if of_depth else estimate

    def _of_size(
        self, step: str, features: TaskFeatures, observations: Sequence[Observation]
    ) -> tuple[Sequence[Observation], str]:
        """Return tasks as they would be with the size to estimate, and how, in words; as they are to regress over them.

        Tasks of one size tell no slope from a fixed part. Those of a pilot are all smaller than what they stand for:
        far beyond them, small errors of a line would be large ones.
        """
        is_one_size = not _differ([one.input_bytes for one in observations])
        if not is_one_size and not all(one.is_pilot for one in observations):
            return observations, ""
        kind = "whose inputs are of one size" if is_one_size else "of a pilot"
        try:
            tasks = [grown(one, features, partial(self._rates, step)) for one in observations]
        except UnknownStep:
            if not is_one_size:
                return observations, ""
            tasks = [in_proportion(one, features) for one in observations]
            return tasks, f"{kind}: in proportion to it, memory alike"
        return tasks, f"{kind}: as the calibrated rates grow with it, memory alike"

    def _of_depth(
        self, step: str, features: TaskFeatures, observations: Sequence[Observation], learned: TaskEstimate
    ) -> TaskEstimate:
        """Return an estimate for tasks of a pilot whose inputs are of another depth than those of the whole run.

        A sample's variants are not in proportion to its reads: the gVCF of a few reads is the larger one. Sizes of
        outputs are therefore those of the calibrated rates, and for tasks that gather samples the time, too, as much
        faster or slower as the pilot was in its other tasks.

        Args:
            step: The step.
            features: The properties of the task.
            observations: The tasks of the pilot.
            learned: The estimate that takes their inputs as of the same depth.
        """
        try:
            rates = self._fallback.estimate(step, features)
        except UnknownStep:
            return learned
        found = replace(learned, output_bytes=rates.output_bytes, outputs=rates.outputs)
        if not observations[0].gathers:
            return replace(found, basis=f"{learned.basis}; sizes of outputs: {rates.basis}")
        speed, waiting_s = self._speed(), float(np.median([one.waiting_s for one in observations]))
        return replace(
            found,
            seconds=_linear(rates.seconds, speed, waiting_s),
            processor_seconds=_linear(rates.processor_seconds, speed),
            basis=f"{rates.basis}; {speed:.2f} times as long, as the other tasks of the pilot took",
        )

    def _speed(self) -> float:
        """Return the processor time of tasks of a sample in that of the calibrated rates; 1 where it is not known."""
        ratios = []
        for step, observations in self._by_step.items():
            for one in observations if self.genome_bases else ():
                features = TaskFeatures(one.input_bytes, self.genome_bases, 1, one.vcpus)
                with suppress(UnknownStep):
                    rates = self._fallback.estimate(step, features).processor_seconds.p50
                    ratios += [one.processor_seconds / rates] if rates > 0 and not one.gathers else []
        return float(np.median(ratios)) if ratios else 1.0

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


def _memory(one: Observation) -> float:
    return one.peak_memory_mib


def _seconds(one: Observation) -> float:
    return one.seconds


def _seconds_on(vcpus: float) -> Need:
    return lambda one: one.seconds_on(vcpus)


def _output(name: str, one: Observation) -> float:
    return one.outputs.get(name, 0)


def _thin(observations: list[Observation]) -> tuple[Observation, ...]:
    """Return at most `MOST_OBSERVATIONS`, evenly spread over the sizes."""
    ordered = sorted(observations, key=lambda one: (one.input_bytes, one.seconds))
    count = min(len(ordered), MOST_OBSERVATIONS)
    return tuple(ordered[index * len(ordered) // count] for index in range(count))


def _quantiles(observations: Sequence[Observation], need: Need, size: int) -> Quantiles:
    """Return the quantiles of a need for a size."""

    def at(quantile: float) -> float:
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


def _linear(quantiles: Quantiles, factor: float, fixed: float = 0.0) -> Quantiles:
    return Quantiles(*(fixed + each * factor for each in (quantiles.p10, quantiles.p50, quantiles.p90)))


def _differ(sizes: Sequence[float]) -> bool:
    return max(sizes) > 0 and max(sizes) >= FEWEST_SIZES * min(sizes)


def _basis(observations: Sequence[Observation], size: int, how: str) -> str:
    sizes = [one.input_bytes for one in observations]
    hosts = ", ".join(sorted({one.host or "a machine outside of AWS" for one in observations}))
    words = [f"{len(observations):,} tasks of earlier runs on {hosts}"]
    if len(observations) < FEWEST_FOR_QUANTILES:
        words.append(f"so few that their spread is assumed: {ASSUMED_SPREAD:.0%}")
    if how:
        words.append(how)
    elif size > 10 * max(sizes):
        words.append(f"whose inputs have at most {max(sizes) / size:.1%} of the size")
    return ", ".join(words)
