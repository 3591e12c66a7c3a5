"""The port through which plans ask what one task of a step needs: seconds, cores, memory and bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from genomics_pipeline.model.first_attempt import FirstAttempt
from genomics_pipeline.model.step import StepSpec


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
    """

    seconds: Quantiles
    processor_seconds: Quantiles
    peak_memory_mib: Quantiles
    output_bytes: Quantiles
    basis: str
    outputs: Mapping[str, float] = field(default_factory=dict)


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
class OfStepsOnly:
    """A `ResourceModel` by which every first attempt is that of its step.

    Attributes:
        model: The source of estimates.
    """

    model: ResourceModel

    def estimate(self, step: str, features: TaskFeatures) -> TaskEstimate:
        """Return what a task of a step needs; see `ResourceModel.estimate`."""
        return self.model.estimate(step, features)

    def first_attempt(self, step: StepSpec, features: TaskFeatures) -> FirstAttempt | None:
        """Return None."""


class UnknownStep(LookupError):
    """A step that a resource model knows nothing of."""
