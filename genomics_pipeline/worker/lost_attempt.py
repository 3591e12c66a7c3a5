"""The start of an attempt of a Batch job, and the records of those before it that left none.

A worker whose host is lost, or whose container is killed, writes no `failure.json`. The next attempt writes it in its
place: `job.json` has its start, and the definition names the class of each failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.stage_try import StageTry
from genomics_pipeline.model.task import TaskPayload, item_id
from genomics_pipeline.records.completion import read_completion
from genomics_pipeline.records.failure import read_failure, write_failure
from genomics_pipeline.records.job import BatchAttempt, StartedJob, read_job, write_job
from genomics_pipeline.records.lost_attempt import lost_attempt, lost_tries
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.step_folder import StepFolder
from genomics_pipeline.worker.task_resources import TaskResources


@dataclass(frozen=True, slots=True)
class AttemptStart:
    """The start of an attempt of a Batch job.

    Attributes:
        job: The attempt.
        started: Its start, ISO 8601 in UTC.
        tried: The jobs of the stage that failed before.
    """

    job: BatchAttempt
    started: str
    tried: Sequence[StageTry] = ()


def note_start(
    payload: TaskPayload, step: StepFolder, store: Store, resources: TaskResources, start: AttemptStart
) -> None:
    """Write ``job.json`` of each item and, of the attempts before that left no record, ``failure.json``.

    A first attempt has none before it, and reads nothing.

    Args:
        payload: The task.
        step: The step.
        store: The store of the run.
        resources: The resources of this attempt.
        start: Its start.
    """
    this = StartedJob(start.job, start.started, resources.vcpus, resources.memory_mib, resources.host)
    for item in map(item_id, payload.items):
        if start.job.attempt > 1 or start.tried:
            with suppress(Exception):  # the task itself matters more
                _record_lost(payload, item, step, store, start, resources.submitted)
        write_job(store, payload.run, payload.stage, item, this)


def _record_lost(
    payload: TaskPayload, item: str, step: StepFolder, store: Store, now: AttemptStart, submitted: str
) -> None:
    place = store, payload.run, payload.stage, item
    newest, before = read_job(*place), read_failure(*place)
    if read_completion(*place) is not None:  # the item was done; others of its batch were not
        return
    lost = lost_tries(now.tried, before, newest)
    if lost and newest and lost[-1].attempt == newest.attempt:
        # The definition submits the next job within seconds of the end of the one before.
        lost[-1] = replace(lost[-1], seconds=_seconds_between(newest.started, submitted))
    known = [one.attempt for one in (before.attempts if before else ())]
    own = (BatchAttempt(now.job.job_id, number) for number in range(1, now.job.attempt))
    for attempt in (one for one in own if one not in known):  # Batch itself repeats an attempt only then
        lost.append(
            lost_attempt(
                FailureClass.HOST_LOST, attempt, newest if newest and newest.attempt == attempt else None, None
            )
        )
    record = before
    for one in lost:
        of_step = replace(one, step=step.spec.name, version=step.spec.version)
        record = of_step.after(record)
    if record is not None and lost:
        write_failure(*place, record)


def _seconds_between(started: str, submitted: str) -> float:
    """Return the seconds from the start of an attempt to the submission of the next; 0 where that is not known."""
    if not submitted:
        return 0
    return max(0.0, round((datetime.fromisoformat(submitted) - datetime.fromisoformat(started)).total_seconds(), 3))
