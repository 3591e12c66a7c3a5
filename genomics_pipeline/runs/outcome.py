"""The outcomes of a run: each sample's and the cohort's state, metrics and files, from the files of the run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.metric_spec import DeclaredMetrics, MetricSpec, verdicts
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.step import METRICS
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.records.metrics import parse_metrics
from genomics_pipeline.report.run_state import RunState
from genomics_pipeline.report.run_summary import CohortOutcome, Outcomes, SampleOutcome
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.seen_records import SeenRecords
from genomics_pipeline.runs.stage_groups import COHORT
from genomics_pipeline.stores.protocol import ObjectReader

EXCEEDED = "States.ExceedToleratedFailureThreshold"  # the error of a Map state


StageMetrics = Mapping[str, Mapping[str, MetricSpec]]  # by stage and name


def outcomes_of_state(files: RunFiles, metrics: DeclaredMetrics, state: RunState, seen: SeenRecords) -> Outcomes:
    """Return the outcomes of a run that has ended.

    Args:
        files: The files of the run.
        metrics: The metrics that its steps declare, with the bounds of the run.
        state: The state of the run.
        seen: The records that were read for that, with their outputs.
    """
    samples, cohort = (
        {stage: metrics.get(scope, {}).get(stage, {}) for stage in _stages(files, scope)}
        for scope in ("sample", COHORT)
    )
    failed = {one.item: failure_message(one.failure) for one in state.failures if one.scope == "sample"}
    return Outcomes(
        samples=list(sample_outcomes(files, samples, failed, seen=seen)),
        cohort=cohort_outcome(files, cohort) if state.status == "SUCCEEDED" else CohortOutcome(),
        metrics={"sample": samples, COHORT: cohort},
    )


def _stages(files: RunFiles, scope: str) -> Iterator[str]:
    return (stage for group in files.groups() if group.scope == scope for stage in group.stages)


def sample_outcomes(
    files: RunFiles,
    stages: StageMetrics,
    failures: Mapping[str, str],
    ran: Collection[tuple[str, str]] | None = None,
    seen: SeenRecords | None = None,
) -> Iterator[SampleOutcome]:
    """Yield the outcome of each sample, in the manifest's order.

    Args:
        files: The files of the run.
        stages: The stages over samples, with the metrics that their steps declare.
        failures: The messages of the samples that failed, by sample.
        ran: The stage and the item of each job that this execution ran; other completed stages were reused. None where
            that is not known.
        seen: Records that were read before.
    """

    store = files.many_looks()

    def outcome(sample: str) -> SampleOutcome:
        done = _completion_records(files, stages, sample, store, seen)
        metrics = _metrics(files, done, store)
        return SampleOutcome(
            sample=sample,
            state=_sample_state(sample, failures, len(done) == len(stages)),
            reused=ran is not None and bool(done) and not any((name, sample) in ran for name in done),
            metrics=metrics,
            verdicts=_verdicts(stages, metrics),
            files=_files(files, done),
            seconds=round(sum(record.seconds for record in done.values()), 3),
            error=failures.get(sample),
        )

    yield from files.each(outcome, files.items("sample"))


def _sample_state(sample: str, failures: Mapping[str, str], complete: bool) -> str:
    if sample in failures:
        return "FAILED"
    return "SUCCEEDED" if complete else "PENDING"


def cohort_outcome(files: RunFiles, stages: StageMetrics) -> CohortOutcome:
    """Return the files and metrics of the stages that run once for the whole cohort.

    Args:
        files: The files of the run.
        stages: These stages, with the metrics that their steps declare.
    """
    done = _completion_records(files, stages, COHORT, files.store)
    metrics = _metrics(files, done, files.store)
    return CohortOutcome(_files(files, done), metrics, _verdicts(stages, metrics))


def declared_metrics(pipeline: Pipeline) -> dict[str, StageMetrics]:
    """Return the metrics that the steps declare for samples and for the cohort, by scope, stage and name."""
    return {
        scope: {stage.name: stage.step.metrics for stage in pipeline.stages if stage.scope == scope}
        for scope in ("sample", COHORT)
    }


def _verdicts(stages: StageMetrics, metrics: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """Return the verdicts on the metrics, by stage and name; a stage without any is left out."""
    found = {stage: verdicts(specs, metrics.get(stage)) for stage, specs in stages.items()}
    return {stage: one for stage, one in found.items() if one}


def _completion_records(
    files: RunFiles, stages: StageMetrics, item: str, store: ObjectReader, seen: SeenRecords | None = None
) -> dict[str, CompletionRecord]:
    """Return the completion records of an item, by stage; a stage that is not done is left out."""
    known = {stage: seen.take(stage, item) for stage in stages} if seen else {}
    records = ((stage, known.get(stage) or files.record(stage, item, store)) for stage in stages)
    return {stage: record for stage, record in records if record}


def _files(files: RunFiles, done: Mapping[str, CompletionRecord]) -> dict[str, str]:
    return {
        f"{stage}.{name}": files.shown_key(output.key)
        for stage, record in done.items()
        for name, output in record.outputs.items()
    }


def _metrics(files: RunFiles, done: Mapping[str, CompletionRecord], store: ObjectReader) -> dict[str, Any]:
    """Return the metrics by stage; a file that is gone or damaged by now has none."""
    metrics = {}
    for stage, record in done.items():
        if (output := record.outputs.get(METRICS)) and output.key.endswith(".json"):
            with suppress(OSError, DataError):
                metrics[stage] = parse_metrics(store.read(files.place.uri(output.key)))
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


def run_error(failure: Failure, map_runs: Iterable[MapRunDescription], scopes: Mapping[str, str]) -> str:
    """Return the message of a run that failed: of a Map Run in which too many items failed, how many may.

    Args:
        failure: The failure of its execution.
        map_runs: The Map Runs of the execution.
        scopes: What the items of each Map Run are, ``sample``, ``interval`` or ``record``, by Label.
    """
    exceeded = next((one for one in map_runs if one.is_exceeded), None)
    if failure.error != EXCEEDED or exceeded is None:
        return failure_message(failure)
    items = exceeded.items
    return exceeded_words(scopes[exceeded.label], items.failed + items.timed_out, items.total, exceeded.tolerated)


def exceeded_words(scope: str, failed: int, total: int, tolerated: int) -> str:
    """Return the message of a run in which too many items of a Map Run failed.

    Args:
        scope: What the items are: ``sample``, ``interval`` or ``record``.
        failed: The number of those that failed.
        total: The number of all.
        tolerated: The number of those that may fail.
    """
    option = "" if scope == "interval" else "--max-failures, or "
    words = f"{failed:,} of {quantity(total, scope, ',')} failed"
    limit = f"at most {tolerated:,} may ({option}[maps.{scope}] of the pipeline)"
    return f"stopped: {words}; {limit}; correct them, or let more fail, and rerun"


def scopes_of(files: RunFiles) -> dict[str, str]:
    """Return what the items of each Map Run of a run are, by Label."""
    return {group.label: group.scope for group in files.groups() if group.label is not None}
