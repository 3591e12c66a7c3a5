"""Pilots: runs over a fraction of the reads, which are said to be pilots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.run_options import SUBSAMPLE
from genomics_pipeline.model.sample import Sample

SHOWN_SAMPLES = 5


def pilot_notes(
    samples: Sequence[Sample], pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]]
) -> Iterator[str]:
    """Yield notes on the stages that take a fraction of the reads, and on the samples that are taken whole.

    Args:
        samples: The samples of the run.
        pipeline: The pipeline.
        overrides: The overridden parameters by stage and name.
    """
    stages = [stage for stage in pipeline.stages if SUBSAMPLE.is_taken(stage)]
    fractions = {stage.name: _fraction(pipeline, overrides, stage.name) for stage in stages}
    parts = {stage: fraction for stage, fraction in fractions.items() if fraction < 1}
    for stage, fraction in parts.items():
        yield f"a pilot: {stage} takes {100 * fraction:g}% of the reads (subsample={fraction:g})"
    if parts and (names := samples_with_results(samples)):
        yield f"a pilot: samples whose gVCF is given, or which are taken as aligned, are taken whole: {names}"


def samples_with_results(samples: Sequence[Sample]) -> str:
    """Return the names of the samples whose gVCF is given, or which are taken as aligned, as far as they are shown."""
    names = [sample.sample for sample in samples if sample.gvcf is not None or sample.is_aligned]
    return ", ".join(names[:SHOWN_SAMPLES]) + (", …" if len(names) > SHOWN_SAMPLES else "")


def _fraction(pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]], stage: str) -> float:
    value = {**pipeline.parameters.get(stage, {}), **overrides.get(stage, {})}.get(SUBSAMPLE.name)
    return float(value) if isinstance(value, int | float) else 1.0
