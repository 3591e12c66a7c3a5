"""The attempts of tasks on AWS that left no record and that no other followed: of them, the failures of a run tell.

The worker of the next attempt writes the records of those before it (`worker.lost_attempt`). A task whose last attempt
left none is known from the result files only, until a rerun or a redrive begins, which writes its record.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import zip_longest

from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.records.completion import read_completion
from genomics_pipeline.records.failure import FailureRecord, read_failure, write_failure
from genomics_pipeline.records.fields import UnreadableRecord
from genomics_pipeline.records.job import BatchAttempt, StartedJob, read_job
from genomics_pipeline.records.lost_attempt import lost_attempt, lost_tries
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.runs.item_ends import unfinished_items
from genomics_pipeline.runs.run_files import RunFiles


def with_unrecorded(
    files: RunFiles, stage: str, item: str, failure: Failure, record: FailureRecord | None
) -> FailureRecord:
    """Return the record of a failed task with its attempts that left none.

    Args:
        files: The files of the run.
        stage: The stage.
        item: The item.
        failure: The failure of the task.
        record: Its newest record of a failure; None if there is none.
    """
    newest = None
    with suppress(UnreadableRecord):
        newest = read_job(files.store, files.place, stage, item)
    lost = lost_tries((one for one in failure.tried if one.job_id != failure.job_id), record, newest)
    lost += _of_last_job(failure, record, newest)
    for one in lost:
        record = one.after(record)
    return record or FailureRecord(failure.failure_class, failure.message, failure.exit_code)


def _of_last_job(failure: Failure, record: FailureRecord | None, newest: StartedJob | None) -> list[FailureRecord]:
    """Return the records of the attempts of a failure's job that left none.

    Args:
        failure: The failure.
        record: The newest record of a failure; None if there is none.
        newest: The job whose worker began last; None if none began.
    """
    known = [one.attempt for one in (record.attempts if record else ())]
    if failure.job_id is not None:
        attempts = [BatchAttempt(failure.job_id, number + 1) for number in range(max(1, failure.attempt))]
    else:  # the Task's own time was up, which does not name the job; or none was submitted
        attempts = [newest.attempt] if newest else []
    lost = []
    for attempt, times in zip_longest(attempts, failure.times[: len(attempts)]):
        is_last = attempt == attempts[-1]
        began = newest if newest and newest.attempt == attempt else None
        kind = failure.failure_class if is_last else FailureClass.HOST_LOST  # Batch itself repeats an attempt only then
        one = lost_attempt(kind, attempt, began, failure.memory_mib)
        if is_last:
            one = replace(one, message=failure.message, exit_code=failure.exit_code)
        if times is not None:
            start, end = times
            one = replace(one, started=_time_text(start), seconds=round(end - start, 3))
        if attempt not in known:
            lost.append(one)
    return lost


def _time_text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def record_unrecorded(files: RunFiles, failures: Iterable[ItemFailure]) -> None:
    """Write the records of failed tasks on AWS whose last attempts left none, before others follow.

    An item whose record cannot be written lacks these attempts in its trace; its rerun does not depend on it.

    Args:
        files: The files of the run.
        failures: The failures of the executions; they are read in bounded memory.
    """

    def write(one: ItemFailure) -> None:
        stage, place = one.failure.stage, files.place
        if one.pending or stage is None:
            return
        with suppress(PipelineError, OSError):
            if read_completion(files.store, place, stage, one.item) is None:
                before = read_failure(files.store, place, stage, one.item)
                record = with_unrecorded(files, stage, one.item, one.failure, before)
                if record != before:
                    write_failure(files.store, place, stage, one.item, record)

    with suppress(PipelineError, OSError):  # such as result files that are not written yet
        for _ in in_parallel(write, unfinished_items(files, files.groups(), failures)):
            pass
