"""The record of an attempt whose worker left none: its host was lost, its container killed, or its time was up."""

from __future__ import annotations

from collections.abc import Iterable

from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.stage_try import StageTry, unrecorded
from genomics_pipeline.records.failure import FailureRecord
from genomics_pipeline.records.job import BatchAttempt, StartedJob

NEVER_BEGAN = "ended before its worker began"
_ENDS = {
    FailureClass.OUT_OF_MEMORY: "killed as out of memory; it had {memory} MiB",
    FailureClass.TIMEOUT: "killed, since its time was up",
    FailureClass.HOST_LOST: "ended without a record: its host was lost",
}


def lost_attempt(
    failure_class: FailureClass, attempt: BatchAttempt | None, job: StartedJob | None, memory_mib: int | None
) -> FailureRecord:
    """Return the record of an attempt that left none.

    Args:
        failure_class: The class of its failure.
        attempt: The attempt; None where no job is known.
        job: Its start; None where no worker began.
        memory_mib: The memory of its job; None where it is not known.
    """
    memory = memory_mib or (job.memory_mib if job else 0)
    if job is None:
        return FailureRecord(failure_class, NEVER_BEGAN, None, attempt, memory_mib=memory)
    message = _ENDS.get(failure_class, "ended without a record").format(memory=memory)
    return FailureRecord(
        failure_class,
        message,
        None,
        attempt,
        vcpus=job.vcpus,
        memory_mib=memory,
        host=job.host,
        started=job.started,
    )


def lost_tries(
    tried: Iterable[StageTry], before: FailureRecord | None, newest: StartedJob | None
) -> list[FailureRecord]:
    """Return the records of the attempts of a stage that left none, the oldest first.

    Args:
        tried: The attempts as the definition keeps them.
        before: The newest record of a failure; None if there is none.
        newest: The job whose worker began last; None if none began.
    """
    known = [one.attempt for one in (before.attempts if before else ()) if one.attempt]
    began = newest if newest and newest.attempt not in known else None
    running = began.attempt.job_id if began else None  # of which earlier attempts may have records
    tries = unrecorded(tuple(tried), [one.job_id for one in known if one.job_id != running])
    lost: list[FailureRecord] = []
    for number, one in enumerate(tries, 1):
        # A Task whose own time was up does not name its job: the last one to begin.
        is_its = began and (one.job_id == began.attempt.job_id or (one.job_id is None and number == len(tries)))
        job = began if is_its else None
        if job is not None:
            lost.append(lost_attempt(one.failure_class, job.attempt, job, one.memory_mib))
        elif one.job_id is not None:  # others were not submitted
            lost.append(lost_attempt(one.failure_class, BatchAttempt(one.job_id, 1), None, one.memory_mib))
    return lost
