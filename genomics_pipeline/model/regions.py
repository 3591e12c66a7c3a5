"""The regions of a run: a BED file that is handed to each stage with a parameter for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.parameters import Value, parse_value
from genomics_pipeline.model.pipeline import Pipeline, Stage

NAME = "regions"  # of the parameter


def regions_overrides(bed: str, pipeline: Pipeline, base: str) -> dict[str, dict[str, Value]]:
    """Return the overrides that hand a BED file to every stage that has a parameter for regions.

    Args:
        bed: The path or URI of the file.
        pipeline: The pipeline.
        base: The folder of relative paths.

    Raises:
        UsageError: if no stage has the parameter, or for a path that cannot be used.
    """
    stages = [stage for stage in pipeline.stages if _takes_regions(stage)]
    if not stages:
        names = ", ".join(stage.step.name for stage in pipeline.stages)
        found = f"of the pipeline {pipeline.name}, found {names}"
        raise UsageError(f"--regions: expected a step with a parameter `{NAME}` (type file, format bed) {found}")
    try:
        return {stage.name: {NAME: parse_value(stage.step.parameters[NAME], bed, base)} for stage in stages}
    except ValueError as error:
        raise UsageError(f"--regions: {error}") from None


def interval_regions(pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]]) -> str | None:
    """Return the BED file outside of which no stage over intervals has work; None if one works everywhere.

    Args:
        pipeline: The pipeline.
        overrides: The overridden parameters by stage and name.
    """
    files = set(_interval_files(pipeline, overrides))
    return files.pop() if len(files) == 1 else None


def _interval_files(pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]]) -> Iterator[str | None]:
    """Yield the regions of each stage over intervals."""
    for stage in pipeline.stages:
        if stage.scope == "interval":
            given = {**pipeline.parameters.get(stage.name, {}), **overrides.get(stage.name, {})}
            value = given.get(NAME)
            yield value if _takes_regions(stage) and isinstance(value, str) else None


def _takes_regions(stage: Stage) -> bool:
    spec = stage.step.parameters.get(NAME)
    return spec is not None and (spec.type, spec.format) == ("file", "bed")
