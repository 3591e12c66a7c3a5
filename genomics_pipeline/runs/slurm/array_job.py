"""A job of an array on its node: its own task, then those that no other job has begun, as long as they are short."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import gettempdir

from genomics_pipeline.engine.tasks.job import Job, JobEnd, RunAttempt
from genomics_pipeline.model.task import PAYLOAD_VARIABLE
from genomics_pipeline.report.output import echo_error
from genomics_pipeline.runs.local.worker_jobs import WorkerJobs
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.runs.slurm.node_facts import node_facts
from genomics_pipeline.runs.slurm.node_task import (
    CANCELLED,
    ENDED,
    STARTED,
    STOPPED,
    TAKEN,
    TASKS,
    NodeTask,
    TaskClaim,
    read_tasks,
    write_claim,
    write_end,
)
from genomics_pipeline.stores.publish import publish_bytes
from genomics_pipeline.worker.adapters import make_store
from genomics_pipeline.worker.step_folder import read_step

TAKES_S = 300.0  # from its start, in which a job takes further tasks: it leaves its node to others soon
_SPARE = 10  # times the longest task so far must fit into the rest of the time limit


class ArrayJob:
    """A job of an array.

    Args:
        array: The folder of the array.
        index: The index of the job.
        is_restarted: Whether Slurm has started it before, so that it may have begun its task already.
        environment: The environment variables.
    """

    def __init__(self, array: Path, index: int, is_restarted: bool, environment: Mapping[str, str]) -> None:
        self._array, self._index, self._is_restarted = array, index, is_restarted
        self._tasks = read_tasks(array / TASKS)
        own = self._tasks[index]
        self._run, self._minutes = Path(own.run), own.minutes
        scratch = Path(own.scratch or gettempdir()) / f"genomics-pipeline-{os.getuid()}"
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)  # what killed jobs left there is removed by the next one
        self._run_attempt = _runner(own, scratch, environment)
        self._running: Job | None = None
        self._is_stopped = False

    def stop(self) -> None:
        """End the task that runs, and take no other."""
        self._is_stopped = True
        if self._running:
            self._running.cancelled.set()

    def run(self) -> int:
        """Run tasks; return the exit code of the job, which is that of the first task that failed, the last one."""
        began, longest, before = time.monotonic(), 0.0, 0
        for index in self._free():
            if not self._claim(index, before):
                continue
            started = time.monotonic()
            if code := self._run_task(index):
                return code
            before += 1
            longest = max(longest, time.monotonic() - started)
            elapsed = time.monotonic() - began
            if elapsed > TAKES_S or (self._minutes and elapsed + _SPARE * longest > self._minutes * 60):
                return 0
        publish_bytes(self._array / TAKEN, b"", self._run)
        return 0

    def _free(self) -> Iterator[int]:
        """Yield the index of this job, then those of others from the last: these jobs start last."""
        yield self._index
        others = range(len(self._tasks) - 1 - self._index, -1, -1), range(len(self._tasks) - 1, -1, -1)
        for index in dict.fromkeys(index for part in others for index in part):
            if index != self._index and not self._file(index, STARTED).exists():
                yield index

    def _claim(self, index: int, before: int) -> bool:
        """Return whether this job is to run a task: nobody cancelled it, and no other job has begun it.

        Args:
            index: The index of the task.
            before: The number of tasks that this job has run.
        """
        if self._file(index, CANCELLED).exists():
            return False
        claim = TaskClaim(self._index, before, os.uname().nodename)
        is_again = self._is_restarted and index == self._index
        return write_claim(self._file(index, STARTED), claim, self._run) or is_again

    def _run_task(self, index: int) -> int:
        """Run a task, write its end, and return the exit code that says it."""
        task = self._tasks[index]
        job = self._running = _job(task)
        if self._is_stopped:
            job.cancelled.set()
        try:
            end = self._run_attempt(job)
        except Exception as error:
            end = JobEnd(1, " ".join(f"{type(error).__name__}: {error}".split()))
        if job.cancelled.is_set():  # Slurm knows the reason
            publish_bytes(self._file(index, STOPPED), b"", self._run)
            return 128 + signal.SIGTERM
        write_end(self._file(index, ENDED), end, self._run)
        if end.reason:
            echo_error(end.reason)
        return end.exit_code or 0

    def _file(self, index: int, ending: str) -> Path:
        return self._array / f"{index}{ending}"


def _runner(task: NodeTask, scratch: Path, environment: Mapping[str, str]) -> RunAttempt:
    """Return what runs the tasks of an array: the worker in this process, or Apptainer.

    Args:
        task: One of the tasks.
        scratch: The folder for temporary files.
        environment: The environment variables.
    """
    run, step = Path(task.run), read_step(Path(task.step))
    store, name = make_store({BUCKET: run}), step.spec.name
    host = node_facts(environment)
    if not task.image:
        return WorkerJobs({name: step}, store, scratch, Path(task.cache), environment, host=host).run_attempt
    from genomics_pipeline.reference.cache import home_if_any
    from genomics_pipeline.runs.containers.apptainer import Apptainer
    from genomics_pipeline.runs.containers.jobs import ContainerJobs

    home = home_if_any(Path.home)
    program, images = Apptainer(environment), {name: task.image}
    return ContainerJobs(images, RunFolder(run), program, store, home, scratch, host=host).run_attempt


def _job(task: NodeTask) -> Job:
    environment = {PAYLOAD_VARIABLE: task.payload}
    named = task.job_id, task.name, task.definition
    return Job(*named, "", environment, task.vcpus, task.memory_mib, None, task.attempt)
