"""The jobs of a replay: attempts on this machine with the cores and the memory of the attempt in the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from genomics_pipeline.engine.tasks.job import Job, JobEnd, RunAttempt
from genomics_pipeline.engine.tasks.job_runner import JobRunner
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.step import InputSpec
from genomics_pipeline.model.task import PAYLOAD_VARIABLE
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.local.worker_jobs import WorkerJobs, jobs_of_steps
from genomics_pipeline.runs.replays.target import ReplayTarget
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.payload import read_payload
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(frozen=True, slots=True)
class ReplayJobs:
    """The jobs of a replay.

    Attributes:
        target: The task that is replayed.
        steps: The steps by name.
        store: The store of the files.
        scratch: The folder of temporary files, of which those of the last task stay.
        adapters: The cores and the memory of this machine, the environment and the cache.
        note: Shows a line.
        in_containers: Runs an attempt in a container; None for processes.
    """

    target: ReplayTarget
    steps: Mapping[str, StepFolder]
    store: Store
    scratch: Path
    adapters: Adapters
    note: Callable[[str], None]
    in_containers: RunAttempt | None = None

    def runner(self, names: ResourceNames) -> JobRunner:
        """Return the runner of the jobs.

        Args:
            names: The names of the job definitions in the document.
        """
        return jobs_of_steps(self.steps, self._run_attempt, self.adapters.capacity(), names)

    def _run_attempt(self, job: Job) -> JobEnd:
        target, here = self.target, job
        if read_payload(job.environment[PAYLOAD_VARIABLE], self.store).stage == target.stage:
            vcpus = min(target.vcpus or job.vcpus, self.adapters.capacity().cores)
            here = replace(job, vcpus=vcpus, memory_mib=target.memory_mib or job.memory_mib)
        self.note(f"running {job.name} with {quantity(here.vcpus, 'core')} and at most {here.memory_mib} MiB")
        if self.in_containers is not None:
            return self.in_containers(here)
        environment, cache = self.adapters.environment, self.adapters.cache
        worker = WorkerJobs(self.steps, self.store, self.scratch, cache, environment, keep_scratch=True)
        return worker.run_attempt(here)


def with_whole_inputs(steps: Mapping[str, StepFolder]) -> dict[str, StepFolder]:
    """Return steps whose inputs are files, none of which is a pipe, so that a program can be run again by hand."""
    return {name: replace(step, spec=replace(step.spec, inputs=_whole(step))) for name, step in steps.items()}


def _whole(step: StepFolder) -> dict[str, InputSpec]:
    return {name: replace(one, stream=False) for name, one in step.spec.inputs.items()}
