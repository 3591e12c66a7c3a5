"""Traces of the tasks of a run: when each was submitted, began and ended, what it used, and how it ended.

All is read from the records of the run, so that a run on AWS needs its bucket alone, and in bounded memory. A run keeps
one record of each task: that of the newest execution that ran it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.records.aws_run import read_aws_run
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.failure import FailureRecord
from genomics_pipeline.records.job import BatchAttempt
from genomics_pipeline.records.local_run import read_local_run
from genomics_pipeline.records.rerun import read_rerun
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.report.task_trace import TaskTrace
from genomics_pipeline.runs.item_ends import unfinished_items
from genomics_pipeline.runs.run_files import RunFiles

if TYPE_CHECKING:  # imports all that can be done to a run
    from genomics_pipeline.runs.backend import RunBackend

MIB = 1 << 20


def task_traces(files: RunFiles, failures: Iterable[ItemFailure] = ()) -> Iterator[TaskTrace]:
    """Yield the traces of a run's tasks: the stages in groups, of each group the items in their order.

    Args:
        files: The files of the run.
        failures: The failures that the run's executions tell, such as those of `RunBackend.failures`: tasks whose host
            was lost, or whose container was killed, leave no record of their own. They are kept in memory.

    Raises:
        RunError: if the run has no readable definition.
        UsageError: for a run over records.
    """
    since = newest_start(files)
    known = {(one.scope, one.item): one.failure for one in failures if not one.pending}
    for group in files.groups():
        for item, stages in files.ended(group):
            for stage, record in stages.items():
                yield trace_of(files, stage, item, group.scope, record, since)
            failure = known.get((group.scope, item))
            if failure is not None and failure.stage in group.stages and failure.stage not in stages:
                yield _without_record(files, failure.stage, item, group.scope, failure)


def run_traces(run: RunBackend) -> Iterator[TaskTrace]:
    """Yield the traces of a run as `task_traces`, with the failures that its executions tell.

    Args:
        run: The run.

    Raises:
        RunError: see `task_traces`; also if AWS cannot be reached.
        UsageError: see `task_traces`.
    """
    files = run.files
    return task_traces(files, unfinished_items(files, files.groups(), run.failures()))


def newest_start(files: RunFiles) -> float | None:
    """Return the start of the newest execution that ran any task, in seconds since the epoch; None before the first.

    Args:
        files: The files of the run.
    """
    if not files.is_on_aws:
        record = read_local_run(files.store, files.place.uri(run_layout.RECORD))
        return seconds_of(record.started) if record else None
    begun, number = read_aws_run(files.store, files.place).submitted, 1
    while rerun := read_rerun(files.store, files.place.uri(run_layout.rerun_file(number, run_layout.RECORD))):
        begun, number = rerun.begun, number + 1
    return seconds_of(begun)


def seconds_of(text: str) -> float | None:
    """Return the seconds since the epoch of a time in ISO 8601 with its offset; None for an empty text."""
    return datetime.fromisoformat(text).timestamp() if text else None


def trace_of(
    files: RunFiles,
    stage: str,
    item: str,
    scope: str,
    record: CompletionRecord | FailureRecord,
    since: float | None,
) -> TaskTrace:
    """Return the trace of a task that left a record.

    Args:
        files: The files of the run.
        stage: The stage.
        item: The item.
        scope: The scope of the item.
        record: The record.
        since: The start of the newest execution.
    """
    started, seconds = seconds_of(record.started), max(0.0, record.seconds)
    trace = TaskTrace(
        stage=stage,
        item=item,
        scope=scope,
        step=record.step,
        submitted=seconds_of(record.submitted),
        started=started,
        ended=None if started is None else started + seconds,
        seconds=seconds,
        processor_seconds=record.processor_seconds,
        peak_memory_bytes=record.peak_memory_mib * MIB,
        memory_bytes=record.memory_mib * MIB,
        vcpus=record.vcpus,
        host=record.host,
        log=files.shown_log(stage, item),
    )
    if isinstance(record, FailureRecord):
        return replace(
            _of_attempt(trace, record.attempt),
            version=record.version,
            exit_code=record.exit_code,
            failure_class=record.failure_class,
            message=record.message,
        )
    return replace(
        _of_attempt(trace, record.job),
        version=record.provenance.version,
        read_bytes=record.input_bytes + record.parameter_bytes,
        written_bytes=sum(file.size_bytes for output in record.outputs.values() for file in output.files),
        exit_code=0,
        reused=since is not None and started is not None and started < since,
    )


def _of_attempt(trace: TaskTrace, attempt: BatchAttempt | None) -> TaskTrace:
    return trace if attempt is None else replace(trace, job_id=attempt.job_id, attempt=attempt.attempt)


def _without_record(files: RunFiles, stage: str, item: str, scope: str, failure: Failure) -> TaskTrace:
    """Return the trace of a task that left no record.

    Args:
        files: The files of the run.
        stage: The stage.
        item: The item.
        scope: The scope of the item.
        failure: The failure of its item.
    """
    return TaskTrace(
        stage=stage,
        item=item,
        scope=scope,
        job_id=failure.job_id,
        attempt=failure.attempt,
        exit_code=failure.exit_code,
        failure_class=failure.failure_class,
        message=failure.message,
        log=files.shown_log(stage, item),
    )
