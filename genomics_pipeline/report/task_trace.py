"""The trace of an attempt of a task: when it was submitted, began and ended, what it used, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from genomics_pipeline.model.failure import FailureClass


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTrace:
    """An attempt of a stage over an item.

    Times are in seconds since the epoch (UTC). None stands for what is not recorded.

    Attributes:
        stage: The stage.
        item: The item: a sample, an interval or ``cohort``.
        scope: The scope of the item: sample, interval or cohort.
        step: The step's name; empty where no record of the task is left.
        version: The step's version; empty likewise.
        job_id: The job in the engine or in AWS Batch; the tasks of a batch of items share it.
        attempt: The number of the attempt, from 1, among those that failed one after another and the last.
        submitted: The submission of the job.
        started: The start of the task.
        ended: Its end.
        seconds: Its duration, staging included.
        processor_seconds: The time of its program on all cores.
        peak_memory_bytes: The peak memory of its program.
        memory_bytes: The memory that it could use.
        vcpus: The cores that it could use.
        read_bytes: The bytes of its inputs and of the files of its parameters, without the reference.
        written_bytes: The bytes of its outputs and their indexes.
        exit_code: 0 if it succeeded.
        failure_class: The class of its failure; None if it succeeded.
        message: The message of its failure; empty if it succeeded.
        reused: Whether it began before the newest execution, which thus did not run it.
        is_newest: Whether no other attempt followed.
        host: ``instance_type``, ``zone`` and ``market`` of the host in AWS; empty elsewhere.
        log: The path or URI of its log, as users know it.
    """

    stage: str
    item: str
    scope: str
    step: str = ""
    version: str = ""
    job_id: str | None = None
    attempt: int | None = None
    submitted: float | None = None
    started: float | None = None
    ended: float | None = None
    seconds: float | None = None
    processor_seconds: float | None = None
    peak_memory_bytes: int | None = None
    memory_bytes: int | None = None
    vcpus: int | None = None
    read_bytes: int | None = None
    written_bytes: int | None = None
    exit_code: int | None = None
    failure_class: FailureClass | None = None
    message: str = ""
    reused: bool = False
    is_newest: bool = True
    host: Mapping[str, str] = field(default_factory=dict)
    log: str = ""

    @property
    def waited(self) -> float | None:
        """The seconds from the submission of its job to its start, at least 0; None where that is not known."""
        if self.submitted is None or self.started is None:
            return None
        return max(0.0, self.started - self.submitted)  # the clock of a host may be behind that of Step Functions
