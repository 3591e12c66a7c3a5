"""The tables of outputs list exactly the files that the shipped pipelines publish."""

from __future__ import annotations

import re
from pathlib import Path

from genomics_pipeline.runs.catalog import load_pipeline

PAGE = Path(__file__).parents[2] / "docs" / "outputs.md"
CONSENSUS = "## Consensus sequences"
IMPUTED = "## Imputed genotypes"


def published(name: str) -> set[str]:
    pipeline, _ = load_pipeline(name)
    return {
        f"{stage.publish[output]}/{spec.path}".replace("{format}", "bam")
        for stage in pipeline.stages
        for output, spec in stage.step.outputs.items()
    }


def listed(text: str) -> list[str]:
    return sorted(re.findall(r"^\| `([a-z][^`]+/[^`]+)` \|", text, re.MULTILINE))


def test_the_page_lists_every_output() -> None:
    text, _, imputed = PAGE.read_text().partition(IMPUTED)
    before, _, after = text.partition(CONSENSUS)
    assert listed(before) == sorted(published("germline"))
    assert listed(imputed) == sorted(published("germline-lowpass") - published("germline"))
    assert published("germline") < published("germline-lowpass")
    assert listed(after) == sorted(published("amplicon") - published("germline"))


def test_the_parts_of_germline_write_its_files() -> None:
    assert published("germline-single") | published("joint") == published("germline")
    assert not published("germline-single") & published("joint")


def test_amplicon_writes_the_same_files_without_those_of_annotation() -> None:
    assert {file for file in published("germline") - published("amplicon") if "annotation" not in file} == set()
