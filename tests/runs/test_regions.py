"""`run --regions`: one BED file for the whole run, handed to every stage that has a parameter for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysam
import pytest

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.regions import interval_regions
from genomics_pipeline.model.run_options import REGIONS
from genomics_pipeline.runs.catalog import load_pipeline
from tests.small_project import COPY, COPY_DECLARATIONS, READS, SmallProject, stage_toml

Run = Callable[..., dict[str, Any]]
TARGETS = (("chr1", 1000, 2500), ("chr1", 4000, 6000), ("chr2", 1500, 3500))


def joint_records(summary: dict[str, Any]) -> list[str]:
    with pysam.VariantFile(summary["cohort"]["files"]["gather.vcf"]) as joint:
        return [str(record) for record in joint]


def in_targets(record: str) -> bool:
    name, position, *_ = record.split("\t")
    return any(name == contig and start < int(position) <= end for contig, start, end in TARGETS)


def test_the_run_of_targets_is_the_whole_run_within_them(run: Run, tmp_path: Path) -> None:
    whole = joint_records(run(tmp_path / "whole"))
    bed = tmp_path / "panel.bed"
    bed.write_text("".join(f"{contig}\t{start}\t{end}\tgene\n" for contig, start, end in TARGETS))
    summary = run(tmp_path / "targets", "--regions", str(bed))
    expected = [record for record in whole if in_targets(record)]
    assert 0 < len(expected) < len(whole)
    assert joint_records(summary) == expected
    folder = Path(summary["run"])
    assert (
        folder / "intervals.jsonl"
    ).read_text() == '{"interval":"00000","regions":["chr1:1001-6000","chr2:1501-3500"]}\n'
    parameters = json.loads((folder / "results/pipeline_info/parameters.json").read_text())
    assert {stage for stage, values in parameters.items() if values.get("regions") == str(bed)} == {
        "alignment",
        "variant_calling",
        "aggregation",
    }
    for row in summary["samples"]:
        assert row["metrics"]["alignment"]["on_target_fraction"] > 0
        assert Path(row["files"]["alignment.region_thresholds"]).is_file()


def test_intervals_follow_the_stages_over_intervals_alone() -> None:
    pipeline, _ = load_pipeline("germline")
    overrides = REGIONS.overrides("panel.bed", pipeline, "/data")
    assert set(overrides) == {"alignment", "variant_calling", "aggregation"}
    assert interval_regions(pipeline, overrides) == "/data/panel.bed"
    assert interval_regions(pipeline, {"variant_calling": {"regions": "/data/panel.bed"}}) is None
    assert interval_regions(pipeline, {**overrides, "aggregation": {"regions": None}}) is None


def test_a_pipeline_without_regions(project: SmallProject) -> None:
    project.step("count", COPY, COPY_DECLARATIONS)
    project.pipeline(stage_toml("count", "./count", "counts", {"reads": "sample.reads"}))
    project.samples({"A": READS})
    with pytest.raises(UsageError, match=r"--regions: expected a step with a parameter `regions`.*found count"):
        REGIONS.overrides("panel.bed", load_pipeline(str(project.folder / "pipeline.toml"))[0], "/")
