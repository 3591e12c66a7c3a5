"""The regions of a run: a BED file, outside of which stages with a parameter for it have no work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.run_options import REGIONS


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
            value = given.get(REGIONS.name)
            yield value if REGIONS.is_taken(stage) and isinstance(value, str) else None
