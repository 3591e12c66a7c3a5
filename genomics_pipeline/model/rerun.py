"""The changes of a rerun: memory of stages, parameters, and how many samples may still fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genomics_pipeline.model.errors import Problem, UsageError, did_you_mean
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.tolerance import tolerated_samples


@dataclass(frozen=True, slots=True)
class StageMemory:
    """The first memory of a stage's jobs.

    Attributes:
        memory_mib: Memory.
        stage: The stage; all stages over samples where it is None.
    """

    memory_mib: int
    stage: str | None = None


def memory_by_stage(memory: Sequence[StageMemory], pipeline: Pipeline) -> dict[str, int]:
    """Return the first memory of jobs by stage; what is given for one stage goes before what is given for all.

    Raises:
        UsageError: for all stages that the pipeline does not have.
    """
    stages = {stage.name: stage.scope for stage in pipeline.stages}
    over_samples: dict[str, int] = {}
    named: dict[str, int] = {}
    problems = []
    for one in memory:
        if one.stage is None:
            over_samples = {name: one.memory_mib for name, scope in stages.items() if scope == "sample"}
        elif one.stage in stages:
            named[one.stage] = one.memory_mib
        else:
            hint = did_you_mean(one.stage, list(stages))
            problems.append(Problem(f"--memory {one.stage}={one.memory_mib}: unknown stage {one.stage!r}; {hint}"))
    if problems:
        raise UsageError(problems)
    return over_samples | named


def merge_parameters(
    parameters: Mapping[str, Mapping[str, Value]], changed: Mapping[str, Mapping[str, Value]]
) -> dict[str, dict[str, Value]]:
    """Return parameters by stage and name, those of `changed` in place of the others.

    >>> merge_parameters({"a": {"x": 1, "y": 2}}, {"a": {"x": 3}, "b": {"z": 4}})
    {'a': {'x': 3, 'y': 2}, 'b': {'z': 4}}
    """
    return {stage: {**parameters.get(stage, {}), **changed.get(stage, {})} for stage in {**parameters, **changed}}


def remaining_tolerance(tolerated: Mapping[str, float], samples: int, failed: int) -> dict[str, float]:
    """Return the limits of a rerun with which no more of all samples fail than the run tolerates.

    Args:
        tolerated: What the run tolerates: ``percentage`` and ``count``.
        samples: How many the run has.
        failed: How many failed that the rerun leaves out.

    >>> remaining_tolerance({"percentage": 50, "count": 100000000}, 10, 2)
    {'percentage': 100, 'count': 3}
    >>> remaining_tolerance({"percentage": 100, "count": 2}, 10, 2)
    {'percentage': 0, 'count': 0}
    """
    left = tolerated_samples(tolerated, samples) - failed
    return {"percentage": 100, "count": left} if left > 0 else {"percentage": 0, "count": 0}
