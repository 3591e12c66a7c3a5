"""Submissions of jobs to a cluster as arrays, each at most once, whatever happens to the answer of sbatch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.runs.slurm.node_task import ARRAY, TASKS, NodeTask, read_tasks, write_tasks
from genomics_pipeline.slurm.commands import SlurmCommands
from genomics_pipeline.stores.publish import make_folders, publish_bytes

SCRIPT = '#!/bin/sh\nexec "$GENOMICS_PIPELINE_PYTHON" -P -m genomics_pipeline.runs.slurm.node\n'
PYTHON = "GENOMICS_PIPELINE_PYTHON"


@dataclass(frozen=True, slots=True)
class JobShape:
    """The resources of jobs that can be in one array.

    Attributes:
        partition: The partition; empty for the default.
        vcpus: Cores.
        memory_mib: Memory.
        minutes: The time limit; 0 for that of the partition.
        name: The name that Slurm shows.
    """

    partition: str
    vcpus: int
    memory_mib: int
    minutes: int
    name: str


@dataclass(frozen=True, slots=True)
class JobPlace:
    """The place of a job in Slurm.

    Attributes:
        array: The key of its array, which is the comment of the job.
        index: Its index; None for the whole array.
    """

    array: str
    index: int | None


def earlier_places(run: Path) -> dict[str, JobPlace]:
    """Return the places of all jobs of a run so far by key, also of those of a head that was killed.

    Args:
        run: The folder of the run.
    """
    arrays = (run / run_layout.SLURM_ARRAYS).glob(f"*/{TASKS}")
    submitted_last = sorted(arrays, key=lambda file: (file.with_name(ARRAY).exists(), file))
    return {
        task.key: JobPlace(file.parent.name, index)
        for file in submitted_last
        for index, task in enumerate(read_tasks(file))
    }


class Submissions:
    """The arrays of a run.

    Args:
        run: The folder of the run.
        slurm: The commands of Slurm.
        options: The options of the jobs.
        python: The interpreter of the nodes.
    """

    def __init__(self, run: Path, slurm: SlurmCommands, options: SlurmOptions, python: str) -> None:
        self._run, self._slurm, self._options, self._python = run, slurm, options, python
        self._arrays = run / run_layout.SLURM_ARRAYS
        make_folders(self._arrays, run)
        make_folders(run / run_layout.SLURM_JOBS, run)

    def submit(self, shape: JobShape, tasks: Sequence[NodeTask]) -> list[JobPlace]:
        """Submit tasks as one array and return their places.

        Args:
            shape: The resources of each.
            tasks: The tasks.

        Raises:
            SlurmError: if Slurm refuses them, or does not answer; then `find` tells whether it has them all the same.
        """
        array = _array_key(tasks)
        folder = self._arrays / array
        write_tasks(folder / TASKS, tasks, self._run)
        argv = self._argv(shape, array, folder, len(tasks))
        return self._submitted(array, self._slurm.submit(argv, SCRIPT, {PYTHON: self._python}), len(tasks))

    def find(self, tasks: Sequence[NodeTask]) -> list[JobPlace]:
        """Return the places of tasks that were submitted without an answer; none where Slurm does not have them.

        Raises:
            SlurmError: if Slurm does not answer.
        """
        array = _array_key(tasks)
        for job in self._slurm.jobs():
            if job.comment == array:
                return self._submitted(array, job.job_id.partition("_")[0], len(tasks))
        return []

    def _submitted(self, array: str, job_id: str, number: int) -> list[JobPlace]:
        publish_bytes(self._arrays / array / ARRAY, job_id.encode(), self._run)
        return [JobPlace(array, index) for index in range(number)]

    def job_id(self, place: JobPlace) -> str | None:
        """Return the ID of a job in Slurm; None if it is not known to be submitted."""
        file = self._arrays / place.array / ARRAY
        return f"{file.read_text()}_{place.index}" if file.exists() else None

    def log(self, place: JobPlace) -> Path:
        """Return the file with the output of a job."""
        return self._arrays / place.array / f"{place.index}.log"

    def _argv(self, shape: JobShape, array: str, folder: Path, number: int) -> list[str]:
        options = self._options
        per_core = -(-shape.memory_mib // shape.vcpus)
        memory = f"--mem-per-cpu={per_core}M" if options.mem_per_cpu else f"--mem={shape.memory_mib}M"
        named = {"partition": shape.partition, "account": options.account, "qos": options.qos}
        return [
            "--no-requeue",
            "--export=ALL",
            "--nodes=1",
            "--ntasks=1",
            f"--comment={array}",
            f"--array=0-{number - 1}",
            f"--cpus-per-task={shape.vcpus}",
            memory,
            *([f"--time={shape.minutes}"] if shape.minutes else []),
            f"--job-name={shape.name}",
            f"--chdir={folder}",  # the names of output files are below it, so that a % in its name has no meaning
            "--output=%a.log",
            *(f"--{name}={value}" for name, value in named.items() if value),
            *options.extra,
        ]


def _array_key(tasks: Sequence[NodeTask]) -> str:
    return hashlib.sha256("".join(task.key for task in tasks).encode()).hexdigest()[:40]
