"""Intervals of references with many contigs: each fits a child's input, in batches as a pointer."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.interval_limits import interval_limits
from genomics_pipeline.asl.payload_budget import payload_budgets
from genomics_pipeline.model import quotas
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.pipeline import MapSettings
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.reference.fai import Contig
from genomics_pipeline.reference.intervals import interval_lines
from genomics_pipeline.runs.catalog import load_pipeline


@pytest.mark.parametrize("count", [7_000, 100_000])
@pytest.mark.parametrize("name", ["scaffold_{}", "lcl|NW_0{}.1_unplaced_genomic_scaffold_of_an_isolate"])
@pytest.mark.parametrize("settings", [MapSettings(), MapSettings(items_per_batch=3)])
def test_many_small_contigs(count: int, name: str, settings: MapSettings) -> None:
    contigs = [Contig(name.format(number), 150) for number in range(count)]
    lines = interval_lines(contigs, interval_limits(settings)).splitlines()
    pipeline, _ = load_pipeline("germline")
    pipeline = replace(pipeline, maps={**pipeline.maps, "interval": settings})
    run_input = ExecutionInput(RunPlace("r", "b", "runs/r/"), "s3://b/ref.fa", {}, settings.tolerance()).to_json()
    budget = payload_budgets(pipeline, generate(pipeline), run_input)["interval"]
    assert budget.holds({"interval": "0" * 64, "uri": "s3://b/runs/r/items/intervals/00000.json"})
    assert max(map(len, lines)) < quotas.PAYLOAD.value
    assert [region for line in lines for region in json.loads(line)["regions"]] == [
        f"{contig.name}:1-150" for contig in contigs
    ]
    assert len(lines) > 1
