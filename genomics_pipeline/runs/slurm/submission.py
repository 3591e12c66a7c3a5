"""Submissions of jobs to a cluster as arrays, each at most once, whatever happens to the answer of sbatch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.records.fields import UnreadableRecord
from genomics_pipeline.runs.slurm.node_task import (
    ARRAY,
    CANCELLED,
    LOG,
    STARTED,
    TAKEN,
    TASKS,
    NodeTask,
    read_tasks,
    write_tasks,
)
from genomics_pipeline.runs.slurm.site_limits import SiteLimits, site_limits
from genomics_pipeline.slurm.commands import SlurmCommands
from genomics_pipeline.stores.publish import make_folders, publish_bytes, remove

PYTHON = "GENOMICS_PIPELINE_PYTHON"
# A job whose task another job has taken, when no task is left, ends before Python starts.
SCRIPT = f"""#!/bin/sh
[ -e {TAKEN} ] && [ -e "$SLURM_ARRAY_TASK_ID{STARTED}" ] && [ -z "$SLURM_RESTART_COUNT" ] && exit 0
exec "${PYTHON}" -P -m genomics_pipeline.runs.slurm.node
"""


@dataclass(frozen=True, slots=True)
class JobShape:
    """The resources of jobs that can be in one array.

    Attributes:
        partition: The partition; empty for the default.
        vcpus: Cores.
        memory_mib: Memory.
        minutes: The time limit that the step asks for; 0 for that of the partition.
        name: The name that Slurm shows.
    """

    partition: str
    vcpus: int
    memory_mib: int
    minutes: int
    name: str


@dataclass(frozen=True, slots=True)
class JobPlace:
    """The place of a job in Slurm, or of a task among those of its array.

    Attributes:
        array: The key of its array, which is the comment of the job.
        index: Its index; None for the whole array.
    """

    array: str
    index: int | None


def earlier_places(run: Path) -> dict[str, JobPlace]:
    """Return the places of all tasks of a run so far by key, also of those of a head that was killed.

    Args:
        run: The folder of the run.
    """
    places: dict[str, JobPlace] = {}
    for file in (run / run_layout.SLURM).glob(f"*/{TASKS}"):
        with suppress(UnreadableRecord, ValueError):  # damaged: its jobs end without it
            places |= {task.key: JobPlace(file.parent.name, index) for index, task in enumerate(read_tasks(file))}
    return places


class Submissions:
    """The arrays of a run, each in a folder of its own.

    Args:
        run: The folder of the run.
        slurm: The commands of Slurm.
        options: The options of the jobs.
        python: The interpreter of the nodes.
    """

    def __init__(self, run: Path, slurm: SlurmCommands, options: SlurmOptions, python: str) -> None:
        self._run, self._slurm, self._options, self._python = run, slurm, options, python
        self._arrays = run / run_layout.SLURM
        self._site: SiteLimits | None = None
        make_folders(self._arrays, run)

    def site(self) -> SiteLimits:
        """Return the limits of the site, which are asked once.

        Raises:
            SlurmError: if Slurm does not answer.
        """
        if self._site is None:
            self._site = site_limits(self._slurm, self._options)
        return self._site

    def minutes(self, shape: JobShape) -> int:
        """Return the time limit of a job, which the site may make shorter; 0 for that of the partition.

        It is no part of the key of an attempt, so that a head finds its jobs again after the site has changed it.

        Raises:
            SlurmError: see `site`.
        """
        return self.site().minutes_of(shape.partition, shape.minutes)

    def prepare(self, tasks: Sequence[NodeTask], shape: JobShape) -> str:
        """Write the tasks of an array, and return its key.

        Args:
            tasks: The tasks.
            shape: The resources of each.

        Raises:
            SlurmError: see `site`.
        """
        array = hashlib.sha256("".join(task.key for task in tasks).encode()).hexdigest()[:40]
        limited = [replace(task, minutes=self.minutes(shape)) for task in tasks]
        write_tasks(self._arrays / array / TASKS, limited, self._run)
        return array

    def withdraw(self, array: str) -> None:
        """Remove the tasks of an array that Slurm refused."""
        remove(self._arrays / array / TASKS, self._run)

    def given_minutes(self, place: JobPlace) -> int:
        """Return the time limit with which a task was submitted; 0 for that of the partition, or if it is not known."""
        with suppress(OSError, UnreadableRecord, ValueError):
            return read_tasks(self._arrays / place.array / TASKS)[place.index or 0].minutes
        return 0

    def size(self, array: str) -> int:
        """Return the number of tasks of an array."""
        return len(read_tasks(self._arrays / array / TASKS))

    def submit(self, array: str, shape: JobShape, number: int, most: int | None) -> None:
        """Submit an array.

        Args:
            array: Its key.
            shape: The resources of each of its jobs.
            number: The number of its tasks.
            most: The greatest number of its jobs that run at once; None for all.

        Raises:
            SlurmError: if Slurm refuses it, or does not answer; then `find` tells whether it has it all the same.
        """
        argv = self._argv(shape, array, f"0-{number - 1}{f'%{most}' if most else ''}")
        self.number(array, self._slurm.submit(argv, SCRIPT, {PYTHON: self._python}))

    def limit(self, array: str, most: int) -> None:
        """Change the number of jobs of an array that run at once.

        Raises:
            SlurmError: if Slurm refuses, or does not answer.
        """
        if job_id := self.job_id(JobPlace(array, None)):
            self._slurm.limit_array(job_id, most)

    def find(self, array: str) -> bool:
        """Return whether Slurm has an array that was submitted without an answer.

        Raises:
            SlurmError: if Slurm does not answer.
        """
        for job in self._slurm.jobs():
            if job.comment == array:
                self.number(array, job.job_id.partition("_")[0])
                return True
        return False

    def number(self, array: str, job_id: str) -> None:
        """Write the ID of an array in Slurm."""
        publish_bytes(self._arrays / array / ARRAY, job_id.encode(), self._run)

    def job_id(self, place: JobPlace) -> str | None:
        """Return the ID of a job in Slurm; None if it is not known to be submitted."""
        try:
            job_id = (self._arrays / place.array / ARRAY).read_text()
        except FileNotFoundError:
            return None
        return job_id if place.index is None else f"{job_id}_{place.index}"

    def folder(self, array: str) -> Path:
        """Return the folder of an array."""
        return self._arrays / array

    def file(self, place: JobPlace, ending: str) -> Path:
        """Return a file of a task, or of a job."""
        return self._arrays / place.array / f"{place.index}{ending}"

    def mark_cancelled(self, place: JobPlace) -> None:
        """Write that a task is not to be run; a later head submits it with another key."""
        publish_bytes(self.file(place, CANCELLED), b"", self._run)

    def _argv(self, shape: JobShape, array: str, indexes: str) -> list[str]:
        options, minutes = self._options, self.minutes(shape)
        named = {"partition": shape.partition, "account": options.account, "qos": options.qos}
        return [
            "--no-requeue",
            "--export=ALL",
            "--nodes=1",
            "--ntasks=1",
            f"--comment={array}",
            f"--array={indexes}",
            f"--cpus-per-task={shape.vcpus}",
            options.memory(shape.memory_mib, shape.vcpus),
            *([f"--time={minutes}"] if minutes else []),
            f"--job-name={shape.name}",
            f"--chdir={self._arrays / array}",  # names of output files are below it: a % in its name has no meaning
            f"--output=%a{LOG}",
            *(f"--{name}={value}" for name, value in named.items() if value),
            *options.extra,
        ]
