"""The first attempts of all tasks of a run, learned from earlier runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genomics_pipeline.model.first_attempt import FirstAttempt
from genomics_pipeline.model.pipeline import OF_RUN, Pipeline, Stage
from genomics_pipeline.planning.history.learned_model import LearnedModel
from genomics_pipeline.planning.resource_model import TaskFeatures, UnknownStep
from genomics_pipeline.planning.workload import OutputSizes, PlannedCohort, output_sizes, stage_features

UNKNOWN_INPUTS = "the sizes of its inputs are not known before the run"


@dataclass(frozen=True, slots=True)
class StageAttempts:
    """The first attempts of a stage.

    Attributes:
        stage: The stage.
        by_item: That of each item; None for the step's.
        lacks: Why some have none; empty if all have one.
        basis: What they rest on.
    """

    stage: Stage
    by_item: Sequence[FirstAttempt | None]
    lacks: str = ""
    basis: str = ""

    def __str__(self) -> str:
        """Return a line for people."""
        name, resources = self.stage.name, self.stage.step.resources
        learned = [one for one in self.by_item if one is not None]
        without = f"the first attempt has {resources.memory_mib:,} MiB, as in step.toml: {self.lacks}"
        if not learned:
            return f"{name}: {without}"
        memory = _range(one.memory_mib for one in learned)
        text = f"{name}: the first attempt has {memory} MiB, which 99 of 100 jobs do not exceed"
        text += f", in place of {resources.memory_mib:,}, and {_range(one.timeout_s for one in learned)} s"
        rest = len(self.by_item) - len(learned)
        return f"{text} ({self.basis})" + (f"; for {rest:,} of {len(self.by_item):,}, {without}" if rest else "")


def stage_attempts(
    pipeline: Pipeline, cohort: PlannedCohort, model: LearnedModel, *, joins_earlier: bool = False
) -> list[StageAttempts]:
    """Return the first attempts of each stage of a run, by item.

    Stages over intervals and the cohort have theirs by the expected outputs of earlier stages.

    Args:
        pipeline: The pipeline, with the stages that run.
        cohort: The items.
        model: What earlier runs tell.
        joins_earlier: Whether the run reads what earlier runs packed, whose sizes are not known.
    """
    outputs: dict[str, OutputSizes] = {}
    found = []
    for stage in pipeline.stages:
        makers = {source.partition(".")[0] for source in stage.inputs.values() if source not in OF_RUN}
        is_packed = joins_earlier and any(spec.packed_in for spec in stage.step.inputs.values())
        if is_packed or not makers <= outputs.keys():
            found.append(StageAttempts(stage, [None] * _items(stage, cohort), UNKNOWN_INPUTS))
            continue
        keys, features = stage_features(pipeline, stage, cohort, outputs)
        _add_outputs(outputs, stage, keys, features, model)
        own = {key: model.first_attempt(stage.step, one) for key, one in features.items()}
        largest = max((one.input_bytes for one in features.values()), default=0)
        lacks = model.lacks(stage.step, largest)
        basis = model.estimate(stage.step.name, TaskFeatures(largest, 1, 1, 1)).basis if any(own.values()) else ""
        found.append(StageAttempts(stage, [own[key] for key in keys], lacks, basis))
    return found


def _items(stage: Stage, cohort: PlannedCohort) -> int:
    return {"sample": len(cohort.sample_bytes), "interval": len(cohort.interval_bases)}.get(stage.scope, 1)


def _add_outputs(
    outputs: dict[str, OutputSizes],
    stage: Stage,
    keys: Sequence[int],
    features: Mapping[int, TaskFeatures],
    model: LearnedModel,
) -> None:
    """Add the expected sizes of the outputs of a stage, by item, unless nothing is known of its step.

    Args:
        outputs: The sizes by stage.
        stage: The stage.
        keys: The key of each item.
        features: The sizes of the inputs by key.
        model: What earlier runs tell.
    """
    try:
        known = {key: model.estimate(stage.step.name, one) for key, one in features.items()}
    except UnknownStep:
        return
    outputs[stage.name] = output_sizes(keys, known)


def _range(numbers: Iterable[int]) -> str:
    """Return the least and the greatest number.

    >>> _range([1024, 3072]), _range([64])
    ('1,024 to 3,072', '64')
    """
    low, *_, high = (*sorted(numbers),) * 2
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
