"""The disk of jobs over intervals: parts of gVCFs for a ranged input, else whole files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.runs.aws.disk import gvcf_disk_problems
from genomics_pipeline.runs.catalog import load_pipeline

GENOME_BP = 3_100_000_000
GVCF_BYTES = 1_400_000_000


def with_whole_files(pipeline: Pipeline) -> Pipeline:
    """Return a pipeline whose inputs are not ranged."""
    stages = []
    for stage in pipeline.stages:
        inputs = {name: replace(spec, ranged=False, margin_bp=0) for name, spec in stage.step.inputs.items()}
        stages.append(replace(stage, step=replace(stage.step, inputs=inputs)))
    return replace(pipeline, stages=tuple(stages))


@pytest.mark.parametrize("name", ["germline", "joint"])
def test_the_part_of_the_interval_is_counted(name: str) -> None:
    pipeline, _ = load_pipeline(name)

    def messages(pipeline: Pipeline, samples: int) -> list[str]:
        return [one.message for one in gvcf_disk_problems(pipeline, [GVCF_BYTES] * samples, GENOME_BP, "s.csv")]

    assert messages(pipeline, 3202) == []
    (refused,) = messages(pipeline, 100_000)
    assert refused == (
        "aggregation: expected gVCFs that need at most 100 GiB of a job's disk (disk_gib), found 100000 of 130385 GiB, "
        "of which it may need 421; lower interval_size_bp in [maps.interval] of the pipeline, or raise disk_gib in "
        "step.toml and `deploy`"
    )
    whole = with_whole_files(pipeline)
    assert messages(whole, 76) == []
    (refused,) = messages(whole, 77)
    assert refused.endswith("found 77 of 100 GiB, of which it may need 101; raise disk_gib in step.toml and `deploy`")


def test_a_pipeline_without_joint_calling_needs_none() -> None:
    pipeline, _ = load_pipeline("germline-single")
    assert list(gvcf_disk_problems(pipeline, [GVCF_BYTES] * 100_000, GENOME_BP, "s.csv")) == []
