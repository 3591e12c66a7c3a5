"""The note on samples whose reads are not trimmed although the run trims reads, since they are aligned already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.runs.pilot import samples_with_results

TRIMMING = ("adapters", "quality_cutoff", "nextseq_trim", "minimum_length")  # parameters of a step that trims


def untrimmed_notes(
    samples: Sequence[Sample], pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]]
) -> Iterator[str]:
    """Yield a note if reads are trimmed, and some samples have none.

    Args:
        samples: The samples of the run.
        pipeline: The pipeline.
        overrides: The overridden parameters by stage and name.
    """
    asked = []
    for stage in pipeline.stages:
        values = {**pipeline.parameters.get(stage.name, {}), **overrides.get(stage.name, {})}
        specs = (spec for name in TRIMMING if (spec := stage.step.parameters.get(name)) is not None)
        asked += [f"{stage.name}.{spec.name}" for spec in specs if values.get(spec.name, spec.default)]
    if asked and (names := samples_with_results(samples)):
        given = "samples whose gVCF is given, or which are taken as aligned, are not trimmed"
        yield f"{given} ({', '.join(asked)}): {names}"
