"""The history of an item's stages: why each ran, why it failed, and what would make it run again."""

from __future__ import annotations

from dataclasses import replace

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import PipelineError, UsageError, did_you_mean
from genomics_pipeline.model.provenance import Difference
from genomics_pipeline.records.execution_input import read_input
from genomics_pipeline.records.failure import read_failure
from genomics_pipeline.report.planned_tasks import PlannedTask
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.report.stage_history import StageHistory
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.item_ends import recorded_failure
from genomics_pipeline.runs.readable_run import ReadableRun
from genomics_pipeline.runs.stage_forecast import StageForecast


def stage_histories(run: ReadableRun, item: str, stage: str | None, adapters: Adapters) -> list[StageHistory]:
    """Return the history of each stage of an item, in the order of the pipeline; nothing is written or started.

    Args:
        run: The run.
        item: A sample, an interval or ``cohort``.
        stage: The only stage to return; None for all stages of the item.
        adapters: The user's cache folder.

    Raises:
        RunError: if the run has no such item.
        UsageError: for a stage that the item does not have.
    """
    files = run.files
    scope = files.scope_of_item(item)
    stages = [name for group in files.groups() if group.scope == scope for name in group.stages]
    if stage is not None and stage not in stages:
        raise UsageError(f"{stage}: no such stage of {item}; {did_you_mean(stage, stages)}")
    forecast, unknown = _forecast(run, scope, item, adapters)
    known = _failure(run, item)
    undone = next((name for name in stages if files.record(name, item) is None), None)

    def history(name: str) -> StageHistory:
        failure = _stage_failure(run, name, item, known, undone)
        is_sought = failure is not None and not files.is_on_aws
        log = files.found_log(name, item) if is_sought else files.shown_log(name, item)
        return StageHistory(
            stage=name,
            item=item,
            record=files.record(name, item),
            failure=failure,
            log=log or "",
            now=forecast.get(name),
            unknown=unknown,
            is_here=not files.is_on_aws,
            because=_because(run, name, item, undone),
        )

    return [history(name) for name in stages if stage in (None, name)]


def _forecast(run: ReadableRun, scope: str, item: str, adapters: Adapters) -> tuple[dict[str, PlannedTask], str]:
    """Return what each stage would do now, or else why that is not known."""
    files = run.files
    try:
        pipeline, steps = load_pipeline(run.requested_pipeline)
        own = read_input(files.store, files.place.uri(run_layout.INPUT))
        forecast = StageForecast(files, pipeline.of_run(own.parameters), steps, own, adapters.cache)
        return {task.stage: task for task in forecast.tasks(scope, item)}, ""
    except PipelineError as error:
        return {}, str(error.problems[0])


def _failure(run: ReadableRun, item: str) -> ItemFailure | None:
    """Return the failure of an item as the executions of the run tell it; None where none does any more."""
    try:
        return next((one for one in run.failed_items() if one.item == item), None)
    except PipelineError:
        return None


def _because(run: ReadableRun, stage: str, item: str, undone: str | None) -> tuple[Difference, ...]:
    """Return why the attempt of a stage that failed ran; nothing where that is not recorded, or it did not fail.

    Args:
        run: The run.
        stage: The stage.
        item: The item.
        undone: The first stage of the item that is not done; None for none.
    """
    record = read_failure(run.files.store, run.files.place, stage, item) if stage == undone else None
    return record.because if record else ()


def _stage_failure(
    run: ReadableRun, stage: str, item: str, known: ItemFailure | None, undone: str | None
) -> Failure | None:
    """Return the failure of a stage over an item; None if it did not fail.

    Args:
        run: The run.
        stage: The stage.
        item: The item.
        known: The failure of the item, if an execution tells it.
        undone: The first stage of the item that is not done; None for none.
    """
    if stage != undone:
        return None
    if known is not None and not known.pending and known.failure.stage in (None, stage):
        is_stream = run.files.is_on_aws  # in a folder, the log is the file that is named anyway
        return known.failure if is_stream else replace(known.failure, log_streams=())
    return recorded_failure(run.files, stage, item)
