"""Attempts on their way: not yet submitted, in Slurm, or ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.runs.slurm.node_task import NodeTask
from genomics_pipeline.runs.slurm.submission import JobPlace, JobShape

FIRST_WAIT_S = 5.0  # twice that after the first submission without an answer, and twice as long each time


@dataclass(slots=True)
class Followed:
    """An attempt that is followed to its end.

    Attributes:
        task: Its task.
        shape: Its resources.
        started: Done once its program runs.
        ended: Its end.
        place: Its place; None before it is submitted.
        unlisted_since: The time since which Slurm has not listed it; None if it has.
    """

    task: NodeTask
    shape: JobShape
    started: asyncio.Future[None]
    ended: asyncio.Future[JobEnd]
    place: JobPlace | None = None
    unlisted_since: float | None = None

    def start(self) -> None:
        """Note that its program runs."""
        if not self.started.done():
            self.started.set_result(None)

    def end(self, end: JobEnd) -> None:
        """Note its end."""
        self.start()
        if not self.ended.done():
            self.ended.set_result(end)


@dataclass(slots=True)
class Unsent:
    """An array that is to be submitted.

    Attributes:
        members: Its jobs.
        is_new: Whether it was not submitted without an answer.
        waits_s: The time until the next submission, after one without an answer.
    """

    members: list[Followed]
    is_new: bool = True
    waits_s: float = FIRST_WAIT_S
