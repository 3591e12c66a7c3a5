"""The outcomes of a run in a folder: each sample's and the cohort's state, metrics and files, from the run's files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.metric_spec import MetricSpec, verdicts
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.step import METRICS
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.completion import CompletionRecord, read_completion
from genomics_pipeline.records.items import read_item_ids
from genomics_pipeline.records.metrics import parse_metrics
from genomics_pipeline.report.run_summary import CohortOutcome, SampleOutcome
from genomics_pipeline.runs.run_files import COHORT
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder

EXCEEDED = "States.ExceedToleratedFailureThreshold"  # the error of a Map state


def sample_outcomes(
    folder: RunFolder, pipeline: Pipeline, failures: Mapping[str, str], ran: Collection[tuple[str, str]]
) -> Iterator[SampleOutcome]:
    """Yield the outcome of each sample, in the manifest's order.

    Args:
        folder: The run.
        pipeline: The pipeline that was run.
        failures: The messages of the samples that failed, by sample.
        ran: The stage and the item of each job that this execution ran; other completed stages were reused.
    """
    stages = [stage for stage in pipeline.stages if stage.scope == "sample"]
    for sample in read_item_ids(folder.store, folder.uri(run_layout.MANIFEST)):
        done = _completion_records(folder, stages, sample)
        metrics = _metrics(folder, done)
        yield SampleOutcome(
            sample=sample,
            state=_sample_state(sample, failures, len(done) == len(stages)),
            reused=bool(done) and not any((name, sample) in ran for name in done),
            metrics=metrics,
            verdicts=_verdicts(stages, metrics),
            files=_files(folder, done),
            seconds=round(sum(record.seconds for record in done.values()), 3),
            error=failures.get(sample),
        )


def _sample_state(sample: str, failures: Mapping[str, str], complete: bool) -> str:
    if sample in failures:
        return "FAILED"
    return "SUCCEEDED" if complete else "PENDING"


def cohort_outcome(folder: RunFolder, pipeline: Pipeline) -> CohortOutcome:
    """Return the files and metrics of the stages that run once for the whole cohort."""
    stages = [stage for stage in pipeline.stages if stage.scope == COHORT]
    done = _completion_records(folder, stages, COHORT)
    metrics = _metrics(folder, done)
    return CohortOutcome(_files(folder, done), metrics, _verdicts(stages, metrics))


def declared_metrics(pipeline: Pipeline) -> dict[str, dict[str, Mapping[str, MetricSpec]]]:
    """Return the metrics that the steps declare for samples and for the cohort, by scope, stage and name."""
    return {
        scope: {stage.name: stage.step.metrics for stage in pipeline.stages if stage.scope == scope}
        for scope in ("sample", COHORT)
    }


def _verdicts(stages: list[Stage], metrics: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """Return the verdicts on the metrics, by stage and name; a stage without any is left out."""
    found = {stage.name: verdicts(stage.step.metrics, metrics.get(stage.name)) for stage in stages}
    return {stage: one for stage, one in found.items() if one}


def _completion_records(folder: RunFolder, stages: list[Stage], item: str) -> dict[str, CompletionRecord]:
    """Return the completion records of an item, by stage; a stage that is not done is left out."""
    place = RunPlace(folder.name, BUCKET, "")
    records = ((stage.name, read_completion(folder.store, place, stage.name, item)) for stage in stages)
    return {stage: record for stage, record in records if record}


def _files(folder: RunFolder, done: Mapping[str, CompletionRecord]) -> dict[str, str]:
    return {
        f"{stage}.{name}": str(folder.path / output.key)
        for stage, record in done.items()
        for name, output in record.outputs.items()
    }


def _metrics(folder: RunFolder, done: Mapping[str, CompletionRecord]) -> dict[str, Any]:
    """Return the metrics by stage; a file that is gone or damaged by now has none."""
    metrics = {}
    for stage, record in done.items():
        if (output := record.outputs.get(METRICS)) and output.key.endswith(".json"):
            with suppress(OSError, DataError):
                metrics[stage] = parse_metrics(folder.store.read(folder.uri(output.key)))
    return metrics


def failure_message(failure: Failure) -> str:
    """Return the message of a failure, after the stage where it is known.

    >>> from genomics_pipeline.model.classify import classify
    >>> failure_message(classify("States.TaskFailed", '{"stage": "alignment", "cause": "R2 is short"}'))
    'alignment: R2 is short'
    """
    if failure.error == EXCEEDED:
        return "more items failed than are tolerated"
    return f"{failure.stage}: {failure.message}" if failure.stage else failure.message


def run_error(failure: Failure, failed: int, samples: int) -> str:
    """Return the message of a run that failed.

    Args:
        failure: The failure of its execution.
        failed: The number of samples that failed.
        samples: The number of samples of the run.

    >>> from genomics_pipeline.model.classify import classify
    >>> run_error(classify(EXCEEDED, "The specified tolerated failure threshold was exceeded"), 1, 1)
    '1 of 1 sample failed, more than are tolerated'
    """
    if failure.error == EXCEEDED and failed:
        return f"{failed:,} of {quantity(samples, 'sample', ',')} failed, more than are tolerated"
    return failure_message(failure)
