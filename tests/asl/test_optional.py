"""A stage that runs may leave out: the same definition with it and without it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.engine.tasks.job import Job, JobDefinition, JobEnd
from genomics_pipeline.engine.tasks.machine_jobs import MachineJobs
from genomics_pipeline.language.validation.validate import diagnose
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, RunPlace
from genomics_pipeline.runs.catalog import load_pipeline


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return load_pipeline("germline")[0]


def executed_stages(pipeline: Pipeline, overrides: Any, folder: Path) -> list[str]:
    """Return the stages of the jobs of an execution."""
    stages: list[str] = []

    def job(job: Job) -> JobEnd:
        stages.append(json.loads(job.environment[PAYLOAD_VARIABLE])["stage"])
        return JobEnd(0)

    (folder / "manifest.jsonl").write_text('{"sample": "S1"}\n')
    (folder / "intervals.jsonl").write_text('{"interval": "00000"}\n')
    tolerated, optional = pipeline.maps["sample"].tolerance(), pipeline.optional_stages(overrides)
    execution_input = ExecutionInput(RunPlace("r", "b", ""), "r.fa", overrides, tolerated, optional=optional)
    definitions = {f"genomics-pipeline-{stage.step.name}": JobDefinition(1, 1) for stage in pipeline.stages}
    result = execute(
        generate(pipeline),
        execution_input.to_json(),
        name="r-1",
        state_machine=pipeline.name,
        store=object_store().with_buckets({"b": folder}),
        tasks=Handlers(BatchTasks(MachineJobs(definitions, job, cores=64, memory_mib=1 << 20)).handlers()),
        journal=folder / "journal",
    )
    assert result.status == "SUCCEEDED"
    return stages


def test_the_stage_runs_if_a_parameter_of_it_has_a_value(pipeline: Pipeline, tmp_path: Path) -> None:
    always = ["alignment", "variant_calling", "aggregation", "gather"]
    cases: list[tuple[Any, list[str]]] = [
        ({}, always),
        ({"annotation": {"phase": "s", "gff3": None}}, always),
        ({"annotation": {"gff3": "/g.gff3"}}, [*always, "annotation"]),
        ({"annotation": {"clinvar": "/c.vcf.gz"}}, [*always, "annotation"]),
    ]
    for number, (overrides, stages) in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert executed_stages(pipeline, overrides, folder) == stages
        assert [stage.name for stage in pipeline.of_run(overrides).stages] == stages


def test_the_definition_is_valid(pipeline: Pipeline) -> None:
    document = generate(pipeline)
    assert diagnose(document) == []
    assert document["States"]["gather"]["Next"] == "annotationChosen"
    assert document["States"]["annotationLeftOut"] == {"Type": "Succeed"}
