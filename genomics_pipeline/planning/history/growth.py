"""Tasks as they would be with inputs of another size, as the calibrated rates of their step grow with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from genomics_pipeline.planning.calibration import covered_bases
from genomics_pipeline.planning.history.observation import ALIGNMENT, Observation
from genomics_pipeline.planning.resource_model import TaskEstimate, TaskFeatures

Estimate = Callable[[TaskFeatures], TaskEstimate]


def grown(one: Observation, features: TaskFeatures, rates: Estimate) -> Observation:
    """Return a task as it would be with another size: it took longer or shorter than the rates say, and so it would.

    Start, staging and end of a program do not grow with its work. Memory stays, since most of it holds the reference.

    Args:
        one: The task.
        features: The properties that it would have.
        rates: Returns the needs by the calibrated rates of its step.
    """
    before, after = rates(replace(features, input_bytes=one.input_bytes)), rates(features)
    proportion = _proportion(one, features)

    def ratio(need: Callable[[TaskEstimate], float]) -> float:
        return need(after) / need(before) if need(before) > 0 else proportion

    of_others = ratio(lambda each: each.output_bytes.p50 - sum(each.outputs.values()))
    of_each = {name: ratio(lambda each, name=name: each.outputs[name]) for name in before.outputs}  # type: ignore[misc]
    outputs = {name: int(size * of_each.get(name, of_others)) for name, size in one.outputs.items()}
    if ALIGNMENT in outputs:
        outputs[ALIGNMENT] += _overhead_beyond(one, features, of_each.get(ALIGNMENT, of_others))
    unnamed = one.output_bytes - sum(one.outputs.values())
    work = before.processor_seconds.p50
    longer = after.seconds.p50 - before.seconds.p50
    return replace(
        one,
        input_bytes=features.input_bytes,
        seconds=one.waiting_s + one.processor_seconds * (1 / features.vcpus + longer / work)
        if work > 0
        else one.seconds_on(features.vcpus) * proportion,
        processor_seconds=one.processor_seconds * ratio(lambda each: each.processor_seconds.p50),
        output_bytes=sum(outputs.values()) + int(unnamed * ratio(lambda each: each.output_bytes.p50)),
        outputs=outputs,
    )


def _overhead_beyond(one: Observation, features: TaskFeatures, ratio: float) -> int:
    """Return by how much the overhead of alignments will be larger than if it grew with the reads, in bytes.

    Args:
        one: The task.
        features: The properties that it would have.
        ratio: The growth of the reads.
    """
    before = one.overhead.bytes_of(covered_bases(replace(features, input_bytes=one.input_bytes)))
    return int(one.overhead.bytes_of(covered_bases(features)) - before * ratio)


def in_proportion(one: Observation, features: TaskFeatures) -> Observation:
    """Return a task as it would be if all its needs but memory were in proportion to its size: not too hopeful.

    Args:
        one: The task.
        features: The properties that it would have.
    """
    proportion = _proportion(one, features)
    return replace(
        one,
        input_bytes=features.input_bytes,
        seconds=one.seconds_on(features.vcpus) * proportion,
        processor_seconds=one.processor_seconds * proportion,
        output_bytes=int(one.output_bytes * proportion),
        outputs={name: int(size * proportion) for name, size in one.outputs.items()},
    )


def _proportion(one: Observation, features: TaskFeatures) -> float:
    return features.input_bytes / max(one.input_bytes, 1)
