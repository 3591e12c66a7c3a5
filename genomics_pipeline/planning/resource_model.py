"""The port through which plans ask what one task of a step needs: seconds, cores, memory and bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Protocol

from genomics_pipeline.model.first_attempt import FirstAttempt
from genomics_pipeline.model.step import StepSpec

WORKER_MIB = 128  # of the process around the program, which its peak does not include
STEP_DEVIATION = 0.25  # of the logarithm by which all tasks of a step differ from rates that were measured elsewhere
ROUND_MIB = 16  # to which memory is rounded up, so that tasks of like sizes have one amount
_Z90, _Z99 = (NormalDist().inv_cdf(share) for share in (0.9, 0.99))


def first_rung_mib(peak_mib: float) -> int:
    """Return the memory of a first attempt at a task, in MiB, for the greatest use of memory by its program."""
    return ROUND_MIB * math.ceil((peak_mib + WORKER_MIB) / ROUND_MIB)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Three quantiles of a distribution, in its own unit."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class TaskFeatures:
    """The properties of a task that are known before it runs.

    Attributes:
        input_bytes: The size of its inputs, without the reference.
        reference_bases: The length of the reference, or of the task's interval.
        samples: The number of samples that it reads; 1 for a task of one sample.
        vcpus: The cores that it may use.
    """

    input_bytes: int
    reference_bases: int
    samples: int
    vcpus: float

    def on(self, vcpus: float) -> TaskFeatures:
        """Return the properties of the same task on other cores."""
        return replace(self, vcpus=vcpus)


@dataclass(frozen=True, slots=True)
class TaskEstimate:
    """The expected needs of one task.

    Attributes:
        seconds: The duration on the cores of its features, staging included.
        processor_seconds: The time on all cores together.
        peak_memory_mib: The highest use of memory in MiB.
        output_bytes: The size of its outputs.
        basis: What the estimate rests on, for people: which records or calibration, and how many of them.
        outputs: The median size of each output, with its indexes, where it is known by output.
        deviation: The standard deviation of the logarithm by which all such tasks of the step may differ from it.
    """

    seconds: Quantiles
    processor_seconds: Quantiles
    peak_memory_mib: Quantiles
    output_bytes: Quantiles
    basis: str
    outputs: Mapping[str, float] = field(default_factory=dict)
    deviation: float = STEP_DEVIATION


class ResourceModel(Protocol):
    """A source of estimates."""

    def estimate(self, step: str, features: TaskFeatures) -> TaskEstimate:
        """Return what a task of the step needs.

        Raises:
            UnknownStep: if the model knows nothing of the step.
        """

    def first_attempt(self, step: StepSpec, features: TaskFeatures) -> FirstAttempt | None:
        """Return the first attempt at a task that the model suggests; None for the step's."""


@dataclass(frozen=True, slots=True)
class OtherFirstAttempts:
    """A `ResourceModel` with the estimates of another, and first attempts of its own.

    Attributes:
        model: The source of estimates.
        choose: Returns the first attempt at a task, or None for the step's.
    """

    model: ResourceModel
    choose: Callable[[StepSpec, TaskFeatures], FirstAttempt | None]

    def estimate(self, step: str, features: TaskFeatures) -> TaskEstimate:
        """Return what a task of a step needs; see `ResourceModel.estimate`."""
        return self.model.estimate(step, features)

    def first_attempt(self, step: StepSpec, features: TaskFeatures) -> FirstAttempt | None:
        """Return the first attempt at a task; see `ResourceModel.first_attempt`."""
        return self.choose(step, features)


def of_steps_only(model: ResourceModel) -> ResourceModel:
    """Return a model by which every first attempt is that of its step."""
    return OtherFirstAttempts(model, lambda step, features: None)


def expected_first_attempts(model: ResourceModel) -> ResourceModel:
    """Return a model whose first attempts have what 99 of 100 tasks need, also of steps without records."""

    def choose(step: StepSpec, features: TaskFeatures) -> FirstAttempt | None:
        """Return the first attempt of the model, else one by its estimate, taken to be log-normal."""
        if (known := model.first_attempt(step, features)) is not None:
            return known
        memory, resources = model.estimate(step.name, features).peak_memory_mib, step.resources
        upper = memory.p50 * (memory.p90 / max(memory.p50, 1e-9)) ** (_Z99 / _Z90)
        return FirstAttempt(min(first_rung_mib(upper), resources.memory_ladder[-1]), resources.timeout_s)

    return OtherFirstAttempts(model, choose)


class UnknownStep(LookupError):
    """A step that a resource model knows nothing of."""
