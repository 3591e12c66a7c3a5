"""Attempts of jobs that the worker runs in this process; programs of steps run in processes of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from genomics_pipeline.engine.tasks.attempted_jobs import OnFailure
from genomics_pipeline.engine.tasks.job import Job, JobDefinition, JobEnd, RunAttempt
from genomics_pipeline.engine.tasks.job_runner import JobReport
from genomics_pipeline.engine.tasks.machine_jobs import MachineJobs
from genomics_pipeline.model.batch_retry import STACK_RETRY_STRATEGY
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, SUBMITTED_VARIABLE
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.job import BatchAttempt
from genomics_pipeline.runs.local.fit import least_memory
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.failure import StepFailed
from genomics_pipeline.worker.interpreters import Interpreters
from genomics_pipeline.worker.machine import Capacity
from genomics_pipeline.worker.payload import read_payload
from genomics_pipeline.worker.run import run_task
from genomics_pipeline.worker.step_folder import StepFolder
from genomics_pipeline.worker.task_resources import TaskResources

DEFAULT_NAMES = ResourceNames()


class WorkerJobs:
    """A runner of attempts of jobs by the worker in this process.

    Args:
        steps: The folders of the steps by name.
        store: The store of inputs and outputs.
        scratch: The folder for temporary files.
        cache: The user's cache folder, for references.
        environment: The environment variables, of which the steps' programs get those without credentials.
        interpreters: Running interpreters for the programs; by default, they are started when they are needed.
        keep_scratch: Leave the temporary files of the last task.
        host: See `TaskResources.host`.
    """

    def __init__(
        self,
        steps: Mapping[str, StepFolder],
        store: Store,
        scratch: Path,
        cache: Path,
        environment: Mapping[str, str],
        interpreters: Interpreters | None = None,
        keep_scratch: bool = False,
        host: Mapping[str, str] | None = None,
    ) -> None:
        self._steps = steps
        self._store = store
        self._scratch = scratch
        self._cache = cache
        self._environment = environment
        self._interpreters = interpreters or Interpreters()
        self._keep_scratch = keep_scratch
        self._host = host or {}

    def run_attempt(self, job: Job) -> JobEnd:
        """Run an attempt of a job to its end, and return its end, also that of a step that failed."""
        payload = read_payload(job.environment[PAYLOAD_VARIABLE], self._store)
        try:
            records = run_task(
                payload,
                self._steps[payload.step],
                self._store,
                TaskResources(
                    vcpus=job.vcpus,
                    memory_mib=job.memory_mib,
                    scratch=self._scratch,
                    cache=self._cache,
                    cancelled=job.cancelled,
                    environment=self._environment,
                    host=self._host,
                    interpreters=self._interpreters,
                    report_memory=partial(setattr, job.usage, "memory_mib"),
                    report_progress=partial(setattr, job.usage, "progress"),
                    report_reading=partial(setattr, job.usage, "read_share"),
                    job=BatchAttempt(job.job_id, job.attempt),
                    submitted=job.environment.get(SUBMITTED_VARIABLE, ""),
                    keep_scratch=self._keep_scratch,
                ),
            )
        except StepFailed as failure:
            return JobEnd(failure.task_exit_code, str(failure), failure.log)
        return JobEnd(0, report=report_of(records))


def report_of(records: Iterable[CompletionRecord]) -> JobReport:
    """Return the work of a job by the completion records of its items."""
    done = [((record.stage, record.item), record.reused) for record in records]
    ran, reused = (frozenset(item for item, old in done if old is wanted) for wanted in (False, True))
    return JobReport(ran, reused)


def job_definitions(steps: Mapping[str, StepFolder], names: ResourceNames = DEFAULT_NAMES) -> dict[str, JobDefinition]:
    """Return the job definitions of steps by the names that the generator gives them."""
    return {
        names.job_definition(folder.spec.name): JobDefinition(
            vcpus=folder.spec.resources.vcpus,
            memory_mib=folder.spec.resources.memory_mib,
            timeout_s=folder.spec.resources.timeout_s,
            retry=STACK_RETRY_STRATEGY,
            least_mib=least_memory(folder.spec),
        )
        for folder in steps.values()
    }


def jobs_of_steps(
    steps: Mapping[str, StepFolder],
    run_attempt: RunAttempt,
    capacity: Capacity,
    names: ResourceNames = DEFAULT_NAMES,
    on_failure: OnFailure | None = None,
) -> MachineJobs:
    """Return a runner of the jobs of these steps on the cores and the memory for jobs.

    Args:
        steps: The steps by name.
        run_attempt: Runs an attempt of a job.
        capacity: The cores and the memory.
        names: The names of the stack whose job definitions the document names.
        on_failure: Called with each attempt that failed; None for nothing.
    """
    definitions = job_definitions(steps, names)
    return MachineJobs(definitions, run_attempt, capacity.cores, capacity.memory_mib, capacity.jobs, on_failure)
