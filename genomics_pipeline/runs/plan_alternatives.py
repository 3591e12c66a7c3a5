"""The changes that a user could make to a planned run: its hosts, formats, intervals and stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.planning.history.observation import FORMAT
from genomics_pipeline.planning.planned_run import Alternatives, PlannedWork
from genomics_pipeline.runs.aws.submission_checks import architecture_problems
from genomics_pipeline.runs.catalog import load_pipeline, usual_pipelines
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.runs.plan_inputs import PlanInputs
from genomics_pipeline.runs.plan_request import PlanRequest
from genomics_pipeline.runs.planned_cohort import interval_bases
from genomics_pipeline.stores.protocol import Store


def alternatives(request: PlanRequest, found: PlanInputs, architecture: Architecture, store: Store) -> Alternatives:
    """Return what could be changed about a planned run.

    Args:
        request: The arguments of the plan.
        found: Its inputs.
        architecture: The processors of its hosts.
        store: The store of files with targets.
    """
    planned = found.planned
    arm64 = architecture is not Architecture.ARM64 and not any(architecture_problems(planned, Architecture.ARM64))
    wider = interval_bases(_with_wider_intervals(planned), found.contigs, store) if found.cohort.interval_bases else ()
    return Alternatives(arm64, _bam_parameter(planned), wider, tuple(_smaller(request, found)))


def _bam_parameter(planned: RunInputs) -> str:
    """Return the parameter by which alignments are BAM; empty if they are not."""
    for stage in planned.stages_that_run.stages:
        if (spec := stage.step.parameters.get(FORMAT)) is None or "cram" not in (spec.choices or ()):
            continue
        given = {**planned.pipeline.parameters.get(stage.name, {}), **planned.overrides.get(stage.name, {})}
        if given.get(FORMAT) == "bam":
            return f"{stage.name}.{FORMAT}"
    return ""


def _with_wider_intervals(planned: RunInputs) -> RunInputs:
    pipeline = planned.pipeline
    interval = pipeline.maps["interval"]
    interval = replace(interval, interval_size_bp=2 * interval.interval_size_bp)
    return replace(planned, pipeline=replace(pipeline, maps={**pipeline.maps, "interval": interval}))


def _smaller(request: PlanRequest, found: PlanInputs) -> Iterator[PlannedWork]:
    """Yield the run by each shipped pipeline that has some of its stages, with the same inputs and parameters."""
    planned, whole = found.planned, found.execution_input(request)
    own = {one.name: _like(planned.pipeline, one) for one in planned.stages_that_run.stages}
    for name in usual_pipelines():
        pipeline = load_pipeline(name)[0]
        pipeline = replace(pipeline, maps={**pipeline.maps, "sample": planned.pipeline.maps["sample"]})
        named = {stage.name for stage in pipeline.stages}
        kept = {stage: values for stage, values in planned.overrides.items() if stage in named}
        runs = pipeline.of_run(kept)
        if len(runs.stages) < len(own) and all(own.get(one.name) == _like(pipeline, one) for one in runs.stages):
            yield PlannedWork(
                pipeline=runs,
                document=generate(pipeline),
                execution_input=replace(whole, parameters=kept, optional=pipeline.optional_stages(kept)),
                cohort=found.cohort,
                model=found.model,
            )


def _like(pipeline: Pipeline, stage: Stage) -> tuple[object, ...]:
    """Return what is equal for stages that do the same work."""
    given = {name: value for name, value in pipeline.parameters.get(stage.name, {}).items() if value is not None}
    return stage.step.name, stage.step.version, stage.scope, dict(stage.inputs), given
