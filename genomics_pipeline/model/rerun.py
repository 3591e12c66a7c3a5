"""The changes of a rerun: memory of stages, parameters, and how many samples may still fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genomics_pipeline.model.errors import Problem, UsageError, did_you_mean
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline


def parse_memory(given: Sequence[str], pipeline: Pipeline) -> dict[str, int]:
    """Parse ``[STAGE=]MIB`` arguments to MiB by stage; without a stage, for all stages over samples.

    Raises:
        UsageError: with all problems.
    """
    stages = {stage.name: stage.scope for stage in pipeline.stages}
    over_samples: dict[str, int] = {}
    named: dict[str, int] = {}
    problems = []
    for text in given:
        stage, equals, number = text.rpartition("=")
        if not (number.isascii() and number.isdigit() and int(number)):
            problems.append(Problem(f"--memory {text}: expected [STAGE=]MIB, such as alignment=32768"))
        elif not equals:
            over_samples = {name: int(number) for name, scope in stages.items() if scope == "sample"}
        elif stage not in stages:
            problems.append(Problem(f"--memory {text}: unknown stage {stage!r}; {did_you_mean(stage, list(stages))}"))
        else:
            named[stage] = int(number)
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
    left = int(min(tolerated["count"], round(tolerated["percentage"] * samples, 6) // 100)) - failed
    return {"percentage": 100, "count": left} if left > 0 else {"percentage": 0, "count": 0}
