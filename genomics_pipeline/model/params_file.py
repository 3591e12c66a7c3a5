"""Files of parameters, `--params-file`: values by stage and name, in TOML or JSON."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.model.declared_file import DeclaredFile
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.json_file import JsonFile
from genomics_pipeline.model.parameters import Value, settled_values
from genomics_pipeline.model.pipeline import Pipeline, parameter_problems
from genomics_pipeline.model.toml_file import TomlFile


def parse_params_file(text: str, *, file: str, pipeline: Pipeline) -> dict[str, dict[str, Value]]:
    """Return the values of a file of parameters, by stage and name.

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
    problems = [*parameter_problems(declared, (), declared.data, steps), *_null_problems(declared, pipeline)]
    declared.refuse(problems)
    folder = posixpath.dirname(file)
    return {
        stage: settled_values(steps[stage].parameters, _without_nulls(values), folder)
        for stage, values in declared.data.items()
    }


def _without_nulls(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _null_problems(declared: DeclaredFile, pipeline: Pipeline) -> Iterator[Problem]:
    """Yield a problem for each null of a parameter that has a value without the file."""
    for stage in pipeline.stages:
        given = pipeline.parameters.get(stage.name, {})
        for name, value in declared.data.get(stage.name, {}).items():
            usual = given.get(name, stage.step.parameters[name].default) if name in stage.step.parameters else None
            if value is None and usual is not None:
                message = f"expected a value, found null; leave {name!r} out for {usual!r}"
                yield declared.problem((stage.name, name), message)
