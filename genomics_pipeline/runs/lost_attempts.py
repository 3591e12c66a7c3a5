"""Records of attempts that failed without a record of the worker: a lost host, a killed container, a time that was up.

On AWS, `worker.lost_attempt` writes them; here and on a cluster, the process that runs the execution knows how an
attempt ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from genomics_pipeline.engine.tasks.job import Job
from genomics_pipeline.engine.tasks.job_detail import JobAttempt
from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, SUBMITTED_VARIABLE, TaskPayload, item_id
from genomics_pipeline.records.completion import read_completion
from genomics_pipeline.records.failure import FailureRecord, read_failure, write_failure
from genomics_pipeline.records.job import BatchAttempt
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.payload import read_payload
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(frozen=True, slots=True)
class LostAttempts:
    """A writer of the records of attempts that left none; implements `engine.tasks.attempted_jobs.OnFailure`.

    Attributes:
        store: The store of the run.
        steps: The steps by name.
    """

    store: Store
    steps: Mapping[str, StepFolder]

    def __call__(self, job: Job, end: JobAttempt) -> None:
        """Write the record of an attempt for each of its items that has neither this nor a completion record.

        Args:
            job: The attempt.
            end: Its end.
        """
        with suppress(Exception):  # the failure itself matters more
            payload = read_payload(job.environment[PAYLOAD_VARIABLE], self.store)
            failure = failure_of_attempt(job, end)
            for item in map(item_id, payload.items):
                self._write(payload, item, job, end, failure)

    def _write(self, payload: TaskPayload, item: str, job: Job, end: JobAttempt, failure: Failure) -> None:
        attempt, before = (
            BatchAttempt(job.job_id, job.attempt),
            read_failure(self.store, payload.run, payload.stage, item),
        )
        is_known = before is not None and before.attempt == attempt
        is_cancelled = failure.failure_class is FailureClass.CANCELLED
        if is_known or is_cancelled or read_completion(self.store, payload.run, payload.stage, item):
            return
        step = self.steps[payload.step]
        record = FailureRecord(
            failure.failure_class,
            failure.message,
            end.exit_code,
            attempt,
            round(end.stopped - end.started, 3),
            job.vcpus,
            job.memory_mib,
            step=step.spec.name,
            version=step.spec.version,
            submitted=job.environment.get(SUBMITTED_VARIABLE, ""),
            started=datetime.fromtimestamp(end.started, UTC).isoformat(timespec="milliseconds"),
            program=step.digest,
        )
        write_failure(self.store, payload.run, payload.stage, item, record.after(before))


def failure_of_attempt(job: Job, end: JobAttempt) -> Failure:
    """Return the failure of an attempt by its job's detail, as Batch would give it.

    Args:
        job: The attempt.
        end: Its end.

    >>> from genomics_pipeline.engine.tasks.job import Job
    >>> job = Job("1", "align-a", "align", "queue", {}, 1, 100, None)
    >>> failure_of_attempt(job, JobAttempt(0.0, 1.0, None, "Host EC2 (instance i-1) terminated.", None, None)).message
    'Host EC2 (instance i-1) terminated.'
    """
    detail = {
        "JobId": job.job_id,
        "Status": "FAILED",
        "StatusReason": end.status_reason,
        "Attempts": [{"Container": end.container(), "StatusReason": end.status_reason}],
        "Container": end.container(),
    }
    return classify("States.TaskFailed", compact(detail))
