"""Files of parameters, `--params-file`: values by stage and name, and bounds of metrics, in TOML or JSON."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.model.declared_file import DeclaredFile
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.json_file import JsonFile
from genomics_pipeline.model.metric_bounds import StageBounds, bounds_problems, declared_bounds
from genomics_pipeline.model.parameters import Value, settled_values
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.pipeline_problems import parameter_problems
from genomics_pipeline.model.step import METRICS
from genomics_pipeline.model.toml_file import TomlFile


@dataclass(frozen=True, slots=True)
class ParamsFile:
    """The content of a file of parameters.

    Attributes:
        values: The values of parameters by stage and name.
        bounds: The bounds of metrics by stage, metric and bound.
    """

    values: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    bounds: StageBounds = field(default_factory=dict)


def parse_params_file(text: str, *, file: str, pipeline: Pipeline) -> ParamsFile:
    """Return the content of a file of parameters.

    A null of JSON stands for a parameter without a value, as in ``pipeline_info/parameters.json`` of a run.

    Args:
        text: The file's text.
        file: Its name, for messages; its ending ``.json`` decides that it is JSON. Paths are relative to its folder.
        pipeline: The pipeline of the stages.

    Raises:
        DataError: with all problems of the file, in source order.
    """
    kind = JsonFile if file.lower().endswith(".json") else TomlFile
    declared: DeclaredFile = kind(text, file=file, schema="parameters")
    steps = {stage.name: stage.step for stage in pipeline.stages}
    values = {stage: _without(METRICS, members) for stage, members in declared.data.items()}
    bounds = {stage: members[METRICS] for stage, members in declared.data.items() if METRICS in members}
    problems = [*parameter_problems(declared, (), values, steps), *_null_problems(declared, values, pipeline)]
    for stage in bounds.keys() & steps.keys():
        problems += bounds_problems(declared, (stage, METRICS), bounds[stage], steps[stage])
    declared.refuse(problems)
    folder = posixpath.dirname(file)
    return ParamsFile(
        {
            stage: settled_values(steps[stage].parameters, _without_nulls(given), folder)
            for stage, given in values.items()
        },
        {stage: declared_bounds(given) for stage, given in bounds.items()},
    )


def _without(name: str, members: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if key != name}


def _without_nulls(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _null_problems(
    declared: DeclaredFile, values: Mapping[str, Mapping[str, Any]], pipeline: Pipeline
) -> Iterator[Problem]:
    """Yield a problem for each null of a parameter that has a value without the file."""
    for stage in pipeline.stages:
        given = pipeline.parameters.get(stage.name, {})
        for name, value in values.get(stage.name, {}).items():
            usual = given.get(name, stage.step.parameters[name].default) if name in stage.step.parameters else None
            if value is None and usual is not None:
                message = f"expected a value, found null; leave {name!r} out for {usual!r}"
                yield declared.problem((stage.name, name), message)
