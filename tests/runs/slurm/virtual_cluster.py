"""A cluster in virtual time: its jobs take no processor, and every command that Slurm gets is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from genomics_pipeline.engine.clock import SystemClock
from genomics_pipeline.engine.fast_forward import FastForwardLoop
from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.runs.slurm.attempts import Attempts
from genomics_pipeline.runs.slurm.node_task import (
    ENDED,
    STARTED,
    TASKS,
    NodeTask,
    TaskClaim,
    read_tasks,
    write_claim,
    write_end,
)
from genomics_pipeline.runs.slurm.submission import JobShape, Submissions
from genomics_pipeline.slurm.commands import SlurmCommands, SlurmError
from genomics_pipeline.slurm.slurm_job import SlurmJob

Result = TypeVar("Result")


class LoopClock(SystemClock):
    """The time of an event loop, also for threads."""

    loop: FastForwardLoop

    def now(self) -> float:
        """Return the time in seconds since the epoch, including the skipped time."""
        return time.time() + self.loop.skipped


@dataclass
class VirtualJob:
    """A job of an array: waiting, running a task until a time, or ended."""

    array: int
    index: int
    folder: Path
    comment: str
    task: int | None = None
    before: int = 0
    ends: float = 0.0
    state: str = "PENDING"


@dataclass
class VirtualSlurm(SlurmCommands):
    """Slurm's commands for a simulated cluster.

    Attributes:
        run: The folder of the run.
        clock: The virtual clock.
        slots: The number of jobs that run at once.
        seconds: The time of each task.
        away: The times between which no command is answered.
        calls: The times of all commands.
        ran: The keys of the tasks that ran.
        arrays: The jobs of each array.
        most: The greatest number of jobs of each array that run at once.
        running: The greatest number of jobs that ran at once.
    """

    run: Path
    clock: LoopClock
    slots: int = 48
    seconds: float = 3.0
    away: tuple[float, float] = (0.0, 0.0)
    calls: list[float] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    arrays: list[list[VirtualJob]] = field(default_factory=list)
    most: list[int] = field(default_factory=list)
    running: int = 0

    def _called(self) -> None:
        now = self.clock.now()
        self.calls.append(now)
        if self.away[0] <= now < self.away[1]:
            raise SlurmError("Unable to contact slurm controller (connect failure)", passes=True)

    def submit(self, options: Sequence[str], script: str, variables: Mapping[str, str]) -> str:
        self._called()
        given = dict(option[2:].partition("=")[::2] for option in options)
        folder, number = Path(given["chdir"]), len(self.arrays) + 1
        indexes, _, most = given["array"].partition("%")
        size = int(indexes.partition("-")[2]) + 1
        self.most.append(int(most or size))
        self.arrays.append([VirtualJob(number, index, folder, given["comment"]) for index in range(size)])
        return str(number)

    def jobs(self) -> list[SlurmJob]:
        self._called()
        jobs = [job for array in self.arrays for job in array]
        return [SlurmJob(f"{job.array}_{job.index}", job.state, 0, "None", "n1", job.comment) for job in jobs]

    def accounted(self, ids: Sequence[str]) -> list[SlurmJob]:
        self._called()
        return []

    def cancel(self, ids: Sequence[str]) -> None:
        self._called()
        for job in (job for array in self.arrays for job in array if str(job.array) in ids):
            job.state = "CANCELLED" if job.state == "PENDING" else job.state

    def limit_array(self, job_id: str, most: int) -> None:
        self._called()
        self.most[int(job_id) - 1] = most

    def largest_array(self) -> int:
        self._called()
        return 1000

    def show_partition(self, partition: str) -> str:
        self._called()
        return "PartitionName=main MaxTime=UNLIMITED"

    def _accounting(self, words: Sequence[str], columns: Sequence[str]) -> list[dict[str, str]]:
        raise SlurmError("Slurm accounting storage is disabled", passes=False)

    async def work(self) -> None:
        """Run jobs until this is cancelled."""
        while True:
            jobs = [job for array in self.arrays for job in array]
            for job in jobs:
                if job.state == "RUNNING" and job.ends <= self.clock.now():
                    write_end(job.folder / f"{job.task}{ENDED}", JobEnd(0), self.run)
                    job.before += 1
                    self._take(job)
            for job in jobs:
                running = [other.array for other in jobs if other.state == "RUNNING"]
                may_start = running.count(job.array) < self.most[job.array - 1] and len(running) < self.slots
                if job.state == "PENDING" and may_start:
                    self._take(job)
            self.running = max(self.running, sum(job.state == "RUNNING" for job in jobs))
            await asyncio.sleep(0.5)

    def _take(self, job: VirtualJob) -> None:
        tasks = read_tasks(job.folder / TASKS)
        for index in [job.index, *reversed(range(len(tasks)))]:
            if (job.folder / f"{index}{STARTED}").exists():
                continue
            write_claim(job.folder / f"{index}{STARTED}", TaskClaim(job.index, job.before, "n1"), self.run)
            self.ran.append(tasks[index].key)
            job.task, job.state, job.ends = index, "RUNNING", self.clock.now() + self.seconds
            return
        job.state = "COMPLETED"

    def most_calls_in_a_minute(self) -> int:
        """Return the greatest number of commands within 60 seconds."""
        return max(sum(0 <= other - call < 60 for other in self.calls) for call in self.calls)


@dataclass
class VirtualRun:
    """A run on the simulated cluster."""

    slurm: VirtualSlurm
    attempts: Attempts
    notes: list[str]

    async def task(self, key: str, vcpus: int = 1) -> JobEnd:
        """Run a task with a number of cores to its end."""
        task = NodeTask(key, str(self.slurm.run), "/step", "{}", "id", 1, "job", "count", vcpus, 100, 60, "", "/cache")
        return await self.attempts.start(task, JobShape("", vcpus, 100, 60, "count")).ended

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine while the cluster works."""

        async def both() -> Result:
            working = asyncio.ensure_future(self.slurm.work())
            try:
                return await work
            finally:
                working.cancel()

        with asyncio.Runner(loop_factory=FastForwardLoop) as runner:
            loop = runner.get_loop()
            assert isinstance(loop, FastForwardLoop)
            self.slurm.clock.loop = loop
            return runner.run(both())


def virtual_run(run: Path, most_jobs: int | None = None, **settings: Any) -> VirtualRun:
    """Return a run on a cluster with some attributes of `VirtualSlurm`.

    Args:
        run: The folder of the run.
        most_jobs: The greatest number of jobs of the run at once; None for any.
        settings: The attributes.
    """
    notes: list[str] = []
    clock = LoopClock()
    slurm = VirtualSlurm(run, clock, **settings)
    submissions = Submissions(run, slurm, SlurmOptions(), "python")
    return VirtualRun(slurm, Attempts(run, slurm, submissions, clock, 10.0, most_jobs, notes.append), notes)
