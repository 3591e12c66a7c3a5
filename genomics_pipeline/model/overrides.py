"""Overrides of a pipeline's parameters, ``STAGE.NAME=VALUE`` on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from genomics_pipeline.model.errors import Problem, UsageError, did_you_mean
from genomics_pipeline.model.parameters import ParameterSpec, Value, parse_value, value_words
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


def assignments(values: Mapping[str, Mapping[str, Value]]) -> Iterator[str]:
    """Yield the ``STAGE.NAME=VALUE`` arguments that `parse_assignments` reads as these values.

    >>> list(assignments({"alignment": {"mark_duplicates": False, "format": "cram"}}))
    ['alignment.mark_duplicates=false', 'alignment.format=cram']
    """
    for stage, by_name in values.items():
        for name, value in by_name.items():
            yield f"{stage}.{name}={value_words(value)}"


def aws_defaults(pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]]) -> dict[str, dict[str, Value]]:
    """Return the parameters of a run on AWS that neither the pipeline nor the user gives, by stage and name."""
    defaults: dict[str, dict[str, Value]] = {}
    for stage in pipeline.stages:
        given = {**pipeline.parameters.get(stage.name, {}), **overrides.get(stage.name, {})}
        for name, spec in stage.step.parameters.items():
            if spec.default_on_aws is not None and name not in given:
                defaults.setdefault(stage.name, {})[name] = spec.default_on_aws
    return defaults


def _find_spec(stages: Mapping[str, Mapping[str, ParameterSpec]], stage: str, name: str) -> ParameterSpec:
    if stage not in stages:
        raise ValueError(f"unknown stage {stage!r}; {did_you_mean(stage, list(stages))}")
    if name not in stages[stage]:
        raise ValueError(f"unknown parameter {name!r} of {stage}; {did_you_mean(name, list(stages[stage]))}")
    return stages[stage][name]
