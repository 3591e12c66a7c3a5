"""Traces of the tasks of a run: when each attempt was submitted, began and ended, what it used, and how it ended.

All is read from the records of the run, so that a run on AWS needs its bucket alone, and in bounded memory. A run keeps
one record of each task, of its newest attempt, which lists those that failed before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

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
from genomics_pipeline.runs.stage_groups import StageGroup
from genomics_pipeline.runs.unrecorded_attempts import with_unrecorded

if TYPE_CHECKING:
    from genomics_pipeline.runs.readable_run import ReadableRun

MIB = 1 << 20
EndsOfItem = Mapping[str, CompletionRecord | FailureRecord]  # by stage


def task_traces(files: RunFiles, failures: Iterable[ItemFailure] = ()) -> Iterator[TaskTrace]:
    """Yield the traces of a run's tasks: the stages in groups, of each group the items in their order.

    The attempts of a task follow each other, the newest last.

    Args:
        files: The files of the run.
        failures: The failures that the run's executions tell, such as those of `ReadableRun.failures`: tasks whose host
            was lost, or whose container was killed, leave no record of their own. They are kept in memory.

    Raises:
        RunError: if the run has no readable definition.
        UsageError: for a run over records.
    """
    since = newest_start(files)
    known = {(one.scope, one.item): one.failure for one in failures if not one.pending}
    for group in files.groups():
        for item, stages in files.ended(group):
            ends = with_failure(files, group, item, stages, known.get((group.scope, item)))
            for stage, record in ends.items():
                yield from traces_of(files, stage, item, group.scope, record, since)


def with_failure(
    files: RunFiles, group: StageGroup, item: str, ends: EndsOfItem, failure: Failure | None
) -> EndsOfItem:
    """Return the records of an item by stage, with the attempts that left none.

    Args:
        files: The files of the run.
        group: The stages of the item.
        item: The item.
        ends: Its records.
        failure: Its failure, as the run's executions tell it; None where it did not fail.
    """
    if failure is None or failure.stage not in group.stages:
        return ends
    record = ends.get(failure.stage)
    if isinstance(record, CompletionRecord):
        return ends
    return {**ends, failure.stage: with_unrecorded(files, failure.stage, item, failure, record)}


def run_traces(run: ReadableRun) -> Iterator[TaskTrace]:
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


def traces_of(
    files: RunFiles,
    stage: str,
    item: str,
    scope: str,
    record: CompletionRecord | FailureRecord,
    since: float | None,
) -> Iterator[TaskTrace]:
    """Yield the traces of the attempts of a task that left a record, the newest last.

    Args:
        files: The files of the run.
        stage: The stage.
        item: The item.
        scope: The scope of the item.
        record: The record.
        since: The start of the newest execution.
    """
    task: dict[str, Any] = {"stage": stage, "item": item, "scope": scope}
    failed = record.attempts if isinstance(record, FailureRecord) else record.failed_attempts
    *earlier, newest = (*map(_failed, failed), *([] if isinstance(record, FailureRecord) else [_done(record)]))
    # Each trace is made at once: the records of a large run have many.
    for end, one in zip(earlier, failed, strict=False):
        yield TaskTrace(**task, **end, **_ended(one, since, one.attempt), is_newest=False)
    job = record.attempt if isinstance(record, FailureRecord) else record.job
    log = files.shown_log(stage, item)  # only that of the newest attempt is kept
    yield TaskTrace(**task, **newest, **_ended(record, since, job), log=log)


def _failed(record: FailureRecord) -> dict[str, Any]:
    """Return the fields of the trace of an attempt that failed, which only its record has."""
    return {
        "attempt": record.number,
        "version": record.version,
        "exit_code": record.exit_code,
        "failure_class": record.failure_class,
        "message": record.message,
    }


def _done(record: CompletionRecord) -> dict[str, Any]:
    """Return the fields of the trace of an attempt that succeeded, which only its record has."""
    before = record.failed_attempts
    return {
        "attempt": before[-1].number + 1 if before else 1,
        "version": record.provenance.version,
        "read_bytes": record.input_bytes + record.parameter_bytes,
        "written_bytes": sum(file.size_bytes for output in record.outputs.values() for file in output.files),
        "exit_code": 0,
    }


def _ended(record: CompletionRecord | FailureRecord, since: float | None, job: BatchAttempt | None) -> dict[str, Any]:
    """Return the fields of the trace of an attempt that all records have.

    Args:
        record: Its record.
        since: The start of the newest execution.
        job: Its job in the engine or in Batch; None where it had none.
    """
    started = seconds_of(record.started)
    is_lost = isinstance(record, FailureRecord) and record.exit_code is None and not record.seconds
    seconds = None if is_lost else max(0.0, record.seconds)
    return {
        "step": record.step,
        "job_id": job.job_id if job else None,
        "submitted": seconds_of(record.submitted),
        "started": started,
        "ended": None if started is None or seconds is None else started + seconds,
        "seconds": seconds,
        "processor_seconds": record.processor_seconds,
        "peak_memory_bytes": record.peak_memory_mib * MIB,
        "memory_bytes": record.memory_mib * MIB or None,
        "vcpus": record.vcpus or None,
        "host": record.host,
        "reused": since is not None and started is not None and started < since,
    }
