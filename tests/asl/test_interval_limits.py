"""Intervals of references with many contigs: each fits into a child's input, and into an environment variable."""

from __future__ import annotations

import json

import pytest

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.interval_limits import interval_limits
from genomics_pipeline.asl.payload_budget import payload_budgets
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.pipeline import MapSettings
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.reference.fai import Contig
from genomics_pipeline.reference.intervals import interval_lines
from genomics_pipeline.runs.catalog import load_pipeline

ENVIRONMENT_BYTES = 131_072  # of one variable: MAX_ARG_STRLEN of Linux


@pytest.mark.parametrize("count", [7_000, 100_000])
@pytest.mark.parametrize("name", ["scaffold_{}", "lcl|NW_0{}.1_unplaced_genomic_scaffold_of_an_isolate"])
@pytest.mark.parametrize("settings", [MapSettings(), MapSettings(items_per_batch=3)])
def test_many_small_contigs(count: int, name: str, settings: MapSettings) -> None:
    contigs = [Contig(name.format(number), 150) for number in range(count)]
    lines = interval_lines(contigs, interval_limits(settings)).splitlines()
    pipeline, _ = load_pipeline("germline")
    run_input = ExecutionInput(RunPlace("r", "b", "runs/r/"), "s3://b/ref.fa", {}, settings.tolerance()).to_json()
    budget = payload_budgets(pipeline, generate(pipeline), run_input)["interval"]
    assert max(map(len, lines)) < min(budget.plain, ENVIRONMENT_BYTES - 32_768)
    assert [region for line in lines for region in json.loads(line)["regions"]] == [
        f"{contig.name}:1-150" for contig in contigs
    ]
    assert len(lines) > 1


def test_the_bytes_of_a_batch_limit_its_intervals() -> None:
    limits = interval_limits(MapSettings(items_per_batch=3, max_input_bytes_per_batch=1024))
    lines = interval_lines([Contig(f"c{number}", 9) for number in range(100)], limits).splitlines()
    assert max(map(len, lines)) <= 1024 // 2 + len('{"interval":"00000","regions":[]}')
