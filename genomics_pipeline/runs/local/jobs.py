"""Batch jobs of a definition, run on this machine by the worker."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path

from genomics_pipeline.engine.tasks.batch import Job, JobDefinition, JobEnd
from genomics_pipeline.model.batch_retry import OURS
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, TaskPayload
from genomics_pipeline.records.job import BatchAttempt
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.failure import StepFailed
from genomics_pipeline.worker.run import run_task
from genomics_pipeline.worker.step_folder import StepFolder


def job_definitions(steps: Mapping[str, StepFolder]) -> dict[str, JobDefinition]:
    """One job definition a step, under the name that the generator gives it."""
    return {
        ResourceNames().job_definition(folder.spec.name): JobDefinition(
            vcpus=folder.spec.resources.vcpus,
            memory_mib=folder.spec.resources.memory_mib,
            timeout_s=folder.spec.resources.timeout_s,
            retry=OURS,
        )
        for folder in steps.values()
    }


class Worker:
    """Runs jobs through the worker, and remembers which (stage, item) ran and which were found done."""

    def __init__(self, steps: Mapping[str, StepFolder], store: Store, scratch: Path) -> None:
        self._steps = steps
        self._store = store
        self._scratch = scratch
        self._lock = threading.Lock()
        self.ran: set[tuple[str, str]] = set()
        self.reused: set[tuple[str, str]] = set()

    def run_job(self, job: Job) -> JobEnd:
        """Run one job to its end; a failed step is a job that ended FAILED, not an exception."""
        return self.run_with(self._store, job)

    def run_with(self, store: Store, job: Job) -> JobEnd:
        """The same, where another store takes the place of the run's own."""
        payload = TaskPayload.from_json(json.loads(job.environment[PAYLOAD_VARIABLE]))
        try:
            records = run_task(
                payload,
                self._steps[payload.step],
                store,
                vcpus=job.vcpus,
                memory_mib=job.memory_mib,
                scratch=self._scratch,
                cancelled=job.cancelled,
                job=BatchAttempt(job.job_id, 1),
            )
        except StepFailed as failure:
            return JobEnd(exit_code=failure.task_exit_code, reason=str(failure), log_stream=failure.log)
        with self._lock:
            for record in records:
                (self.reused if record.reused else self.ran).add((record.stage, record.item))
        return JobEnd(exit_code=0)
