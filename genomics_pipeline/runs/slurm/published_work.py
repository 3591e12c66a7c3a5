"""Work of a run that is done, whose results the head takes without a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.task import PAYLOAD_VARIABLE
from genomics_pipeline.runs.local.worker_jobs import report_of
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.payload import read_payload
from genomics_pipeline.worker.review import completed_items
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(frozen=True, slots=True)
class PublishedWork:
    """The completion records of a run, as the head reads them before it submits a job.

    Attributes:
        store: The store of the run.
        steps: The steps by name.
        cache: The user's cache folder, for references.
    """

    store: Store
    steps: Mapping[str, StepFolder]
    cache: Path

    def __call__(self, job: Job) -> JobEnd | None:
        """Return the end of an attempt all of whose items are done, by the review that its node would make.

        Args:
            job: The attempt.

        Returns:
            The end; None if there is something to run, or something wrong, of which the job gives the reason.
        """
        try:
            payload = read_payload(job.environment[PAYLOAD_VARIABLE], self.store)
            records = completed_items(payload, self.steps[payload.step], self.store, self.cache)
        except (PipelineError, OSError, ValueError):
            return None
        return None if records is None else JobEnd(0, report=report_of(records))
