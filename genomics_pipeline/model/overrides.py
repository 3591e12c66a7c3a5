"""Overrides of a pipeline's parameters, ``STAGE.NAME=VALUE`` on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genomics_pipeline.model.errors import Problem, UsageError, did_you_mean
from genomics_pipeline.model.parameters import ParameterSpec, Value, parse_value
from genomics_pipeline.model.pipeline import Pipeline


def parse_assignments(assignments: Sequence[str], pipeline: Pipeline, base: str) -> dict[str, dict[str, Value]]:
    """Parse the ``STAGE.NAME=VALUE`` arguments of ``--param`` to values by stage and name.

    Raises:
        UsageError: with all problems: form, unknown stage or parameter (with the nearest name), value.
    """
    stages = {stage.name: stage.step.parameters for stage in pipeline.stages}
    values: dict[str, dict[str, Value]] = {}
    problems = []
    for assignment in assignments:
        try:
            target, equals, text = assignment.partition("=")
            stage, dot, name = target.partition(".")
            if not (equals and dot):
                raise ValueError("expected STAGE.NAME=VALUE, such as variant_calling.ploidy=1")
            values.setdefault(stage, {})[name] = parse_value(_find_spec(stages, stage, name), text, base)
        except ValueError as error:
            problems.append(Problem(f"--param {assignment}: {error}"))
    if problems:
        raise UsageError(problems)
    return values


def _find_spec(stages: Mapping[str, Mapping[str, ParameterSpec]], stage: str, name: str) -> ParameterSpec:
    if stage not in stages:
        raise ValueError(f"unknown stage {stage!r}; {did_you_mean(stage, list(stages))}")
    if name not in stages[stage]:
        raise ValueError(f"unknown parameter {name!r} of {stage}; {did_you_mean(name, list(stages[stage]))}")
    return stages[stage][name]
