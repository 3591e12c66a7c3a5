"""Calibrated rates, corrected by what tasks of about the same size needed on this machine.

For each need, the logarithm of what a task needed over what the rates say is averaged over the tasks of its step, those
of other sizes with less weight. Where there are none of about the same size, the other steps say how fast the machine
is; where these say nothing of that size either, the rates stay: a thousand tiny tasks tell nothing of a large one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from genomics_pipeline.model.first_attempt import FirstAttempt
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.planning.history.observation import ALIGNMENT
from genomics_pipeline.planning.resource_model import (
    STEP_DEVIATION,
    Quantiles,
    ResourceModel,
    TaskEstimate,
    TaskFeatures,
    UnknownStep,
)
from genomics_pipeline.records.machine_tasks import MachineTask

SAME_SIZE = math.log(2)  # of the logarithm of predicted durations: a task of twice the duration has a weight of 0.6
PRIOR = 0.5  # the weight of the other steps, and of the rates themselves, in tasks of the very size
LEAST_DEVIATION = 0.08  # of a step, however many tasks are known: the load of a machine changes


@dataclass(frozen=True, slots=True)
class _Compared:
    """A task in proportion to the rates, all as logarithms.

    Attributes:
        size: The duration that the rates predict, in seconds.
        seconds: Its duration over that.
        processor: Its processor time over the predicted one.
        memory: Its use of memory over the predicted one.
        output: The size of its outputs over the predicted one.
        outputs: That of each output.
    """

    size: float
    seconds: float
    processor: float
    memory: float
    output: float
    outputs: Mapping[str, float]


_Ratio = Callable[[_Compared], float | None]


class MachineRates:
    """A `ResourceModel` of rates and of the tasks of a machine.

    Args:
        rates: The rates.
        formats: The size of alignments by format, in that of the rates.
        tasks: The tasks, in the versions and with the parameters of the steps to estimate.
    """

    def __init__(self, rates: ResourceModel, formats: Mapping[str, float], tasks: Iterable[MachineTask]) -> None:
        self._rates = rates
        self._compared: dict[str, list[_Compared]] = defaultdict(list)
        for one in tasks:
            with suppress(UnknownStep):
                self._compared[one.step].append(_compared(rates, one, formats.get(one.alignment_format, 1.0)))

    def estimate(self, step: str, features: TaskFeatures) -> TaskEstimate:
        """Return what a task of a step needs; see `ResourceModel.estimate`."""
        base = self._rates.estimate(step, features)
        size, own = _log(base.seconds.p50), self._compared.get(step, [])
        weights = [_weight(size, one) for one in own]

        def factor(ratio: _Ratio, otherwise: float = 0.0) -> float:
            return math.exp(_level(own, weights, ratio, otherwise)[0])

        speed = self._machine(size)
        longer = factor(lambda one: one.seconds, speed)
        return replace(
            base,
            seconds=_times(base.seconds, longer),
            processor_seconds=_times(base.processor_seconds, factor(lambda one: one.processor, speed)),
            peak_memory_mib=_times(base.peak_memory_mib, factor(lambda one: one.memory)),
            output_bytes=_times(base.output_bytes, factor(lambda one: one.output)),
            outputs={
                name: bytes_ * factor(lambda one, name=name: one.outputs.get(name))  # type: ignore[misc]
                for name, bytes_ in base.outputs.items()
            },
            basis=f"{base.basis}{self._words(longer, size, own)}",
            deviation=max(LEAST_DEVIATION, STEP_DEVIATION * math.sqrt(PRIOR / (PRIOR + sum(weights)))),
        )

    def first_attempt(self, step: StepSpec, features: TaskFeatures) -> FirstAttempt | None:
        """Return the first attempt by the rates: a machine's share for a job is fixed by its step."""
        return self._rates.first_attempt(step, features)

    def _machine(self, size: float) -> float:
        """Return by how much longer tasks of a predicted duration take on this machine, as logarithms."""
        total = known = 0.0
        for tasks in self._compared.values():
            level, weight = _level(tasks, [_weight(size, one) for one in tasks], lambda one: one.seconds)
            total += weight * level
            known += weight
        return total / (PRIOR + known)

    def _words(self, longer: float, size: float, own: Sequence[_Compared]) -> str:
        near = sum(abs(one.size - size) <= SAME_SIZE for one in own)
        if near:
            return f"; {longer:.2f} times as long, as {near} tasks of about this size took in earlier runs here"
        if abs(longer - 1) < 0.005:
            return ""
        return f"; {longer:.2f} times as long, as tasks of other sizes or steps took in earlier runs here"


def _compared(rates: ResourceModel, task: MachineTask, alignment_factor: float) -> _Compared:
    """Return a task in proportion to the rates.

    Args:
        rates: The rates.
        task: The task.
        alignment_factor: The size of its run's alignments, in that of the format of the rates.

    Raises:
        UnknownStep: for a step without rates.
    """
    size = task.input_bytes / (alignment_factor if task.reads_alignments else 1.0)
    rated = rates.estimate(task.step, TaskFeatures(int(size), task.reference_bases, task.samples, task.vcpus))
    outputs = {name: each / (alignment_factor if name == ALIGNMENT else 1.0) for name, each in task.outputs.items()}
    return _Compared(
        size=_log(rated.seconds.p50),
        seconds=_log(task.seconds) - _log(rated.seconds.p50),
        processor=_log(task.processor_seconds) - _log(rated.processor_seconds.p50),
        memory=_log(task.peak_memory_mib) - _log(rated.peak_memory_mib.p50),
        output=_log(sum(outputs.values())) - _log(rated.output_bytes.p50),
        outputs={
            name: math.log(outputs[name] / each)
            for name, each in rated.outputs.items()
            if each > 0 and outputs.get(name, 0) > 0
        },
    )


def _weight(size: float, task: _Compared) -> float:
    return math.exp(-(((size - task.size) / SAME_SIZE) ** 2) / 2)


def _level(
    tasks: Sequence[_Compared], weights: Sequence[float], ratio: _Ratio, otherwise: float = 0.0
) -> tuple[float, float]:
    """Return the mean of a logarithm over tasks, and how much it is trusted, from 0 to 1.

    Args:
        tasks: The tasks.
        weights: Their weights.
        ratio: Returns the logarithm; None of a task that tells nothing of it.
        otherwise: The logarithm that holds as far as they are not trusted.
    """
    known = [(weight, value) for one, weight in zip(tasks, weights, strict=True) if (value := ratio(one)) is not None]
    weight = sum(weight for weight, _ in known)
    total = PRIOR * otherwise + sum(weight * value for weight, value in known)
    return total / (PRIOR + weight), weight / (PRIOR + weight)


def _log(amount: float) -> float:
    return math.log(max(amount, 1e-3))


def _times(quantiles: Quantiles, factor: float) -> Quantiles:
    return Quantiles(quantiles.p10 * factor, quantiles.p50 * factor, quantiles.p90 * factor)
