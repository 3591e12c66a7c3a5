"""The TOML file that declares a pipeline, read into its stages and settings."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.metric_bounds import bounds_problems, declared_bounds, with_bounds
from genomics_pipeline.model.parameters import settled_values
from genomics_pipeline.model.pipeline import DEFAULT_OF_SAMPLES, MapSettings, Pipeline, Stage
from genomics_pipeline.model.pipeline_problems import parameter_problems, stage_problems
from genomics_pipeline.model.publication import publish_folders
from genomics_pipeline.model.record_source import record_source
from genomics_pipeline.model.record_stages import record_problems
from genomics_pipeline.model.step import (
    METRICS,
    RECORD,
    StepSpec,
)
from genomics_pipeline.model.toml_file import TomlFile

_TOLERATED = "tolerated_failure_"


def parse_pipeline(text: str, *, file: str, load_step: Callable[[str], StepSpec], is_shipped: bool = False) -> Pipeline:
    """Return the pipeline that a TOML file declares.

    Args:
        text: The file's text.
        file: Its name, for messages; paths in parameters are relative to its folder.
        load_step: Returns the step with the name or path that a stage gives.
        is_shipped: See `Pipeline`.

    Raises:
        DataError: with all problems of the file and of its steps' files, in source order.
    """
    toml = TomlFile(text, file=file, schema=None if is_shipped else "pipeline")
    steps, problems = _load_steps(toml, load_step)
    stages: list[Stage] = []
    unknown: set[str] = set()
    for number, raw in enumerate(toml.data["stages"]):
        if number in steps:
            step, intermediate, when = steps[number], raw.get("intermediate", False), tuple(raw.get("when", ()))
            misfits = list(bounds_problems(toml, ("stages", number, METRICS), raw.get(METRICS, {}), step))
            problems += misfits
            step = step if misfits else with_bounds(step, declared_bounds(raw.get(METRICS, {})))
            folders = publish_folders(raw.get("publish", {}), step)
            stage = Stage(raw["name"], step, raw["scope"], raw["inputs"], folders, intermediate, when)
            problems += stage_problems(toml, number, stage, stages, unknown)
            stages.append(stage)
        else:
            unknown.add(raw["name"])
    problems += record_problems(toml, stages)
    known = {stage.name: stage.step for stage in stages}
    parameters = toml.data.get("parameters", {})
    if len(steps) == len(toml.data["stages"]):
        problems += parameter_problems(toml, ("parameters",), parameters, known)
    toml.refuse(problems)
    return Pipeline(
        name=toml.data["name"],
        summary=toml.data["summary"],
        maps=_maps(toml.data.get("maps", {})),
        stages=tuple(stages),
        parameters={
            name: settled_values(known[name].parameters, values, posixpath.dirname(file))
            for name, values in parameters.items()
        },
        germline=toml.data.get("germline", False),
        is_shipped=is_shipped,
    )


def _load_steps(toml: TomlFile, load_step: Callable[[str], StepSpec]) -> tuple[dict[int, StepSpec], list[Problem]]:
    steps: dict[int, StepSpec] = {}
    problems: list[Problem] = []
    for number, raw in enumerate(toml.data["stages"]):
        try:
            steps[number] = load_step(raw["step"])
        except DataError as error:
            if all(problem.file is None for problem in error.problems):
                problems += [toml.problem(("stages", number, "step"), problem.message) for problem in error.problems]
            else:
                problems += error.problems
    return steps, problems


def _maps(raw: Mapping[str, Any]) -> dict[str, MapSettings]:
    """Return the settings by scope; a file that sets a tolerance of samples has no other limit than that."""
    sample = raw.get("sample", {})
    of_samples = MapSettings() if any(name.startswith(_TOLERATED) for name in sample) else DEFAULT_OF_SAMPLES
    maps = {"sample": replace(of_samples, **sample), "interval": replace(MapSettings(), **raw.get("interval", {}))}
    if RECORD in raw:
        source = record_source(raw[RECORD]["source"])
        maps[RECORD] = replace(MapSettings(), **{**raw[RECORD], "source": source})
    return maps
