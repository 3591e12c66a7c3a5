"""Attempts on their way: not yet submitted, in Slurm, or ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.runs.slurm.node_task import NodeTask, TaskClaim
from genomics_pipeline.runs.slurm.submission import JobPlace, JobShape

FIRST_WAIT_S = 5.0  # twice that after the first submission without an answer, and twice as long each time


@dataclass(slots=True, eq=False)
class Followed:
    """An attempt that is followed to its end.

    Attributes:
        task: Its task.
        shape: Its resources.
        started: Done once its program runs.
        ended: Its end.
        earlier: The places of attempts at the same work that Slurm has lost, which may finish all the same.
        place: Its place; None before its array is made.
        claim: The job that runs it; None before one does.
        written: The end of a failed program, which waits for Slurm's reason.
        unlisted_since: The time since which Slurm has not listed its job; None if it has.
        missing_since: The time since which its job has ended for Slurm, without a file of its end; None if it has not.
    """

    task: NodeTask
    shape: JobShape
    started: asyncio.Future[None]
    ended: asyncio.Future[JobEnd]
    earlier: tuple[JobPlace, ...] = ()
    place: JobPlace | None = None
    claim: TaskClaim | None = None
    written: JobEnd | None = None
    unlisted_since: float | None = None
    missing_since: float | None = None

    @property
    def at(self) -> JobPlace:
        """The place of its task."""
        assert self.place is not None
        return self.place

    @property
    def job(self) -> JobPlace:
        """The place of the job that runs it, as far as it is known."""
        return JobPlace(self.at.array, self.claim.index) if self.claim else self.at

    def start(self) -> None:
        """Note that its program runs."""
        if not self.started.done():
            self.started.set_result(None)

    def end(self, end: JobEnd) -> None:
        """Note its end."""
        self.start()
        if not self.ended.done():
            self.ended.set_result(end)


@dataclass(slots=True, eq=False)
class Unsent:
    """An array that is to be submitted.

    Attributes:
        array: Its key.
        shape: The resources of its jobs.
        number: The number of its tasks.
        members: Those of its tasks that are followed.
        is_new: Whether it was never submitted; else Slurm may have it.
    """

    array: str
    shape: JobShape
    number: int
    members: list[Followed] = field(default_factory=list)
    is_new: bool = True
