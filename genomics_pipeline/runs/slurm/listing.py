"""Views of jobs at a moment: as Slurm lists them, and by the files that they wrote."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.runs.slurm.followed import Followed
from genomics_pipeline.runs.slurm.node_task import ENDED, STARTED, TaskClaim, read_claim, read_end
from genomics_pipeline.runs.slurm.submission import JobPlace
from genomics_pipeline.slurm.slurm_job import SlurmJob


class Listing:
    """The jobs that Slurm lists, by their places.

    Args:
        jobs: The jobs. Of two at one place, the one that has not ended is meant: an array that was submitted twice.
    """

    def __init__(self, jobs: Iterable[SlurmJob]) -> None:
        ended_first = sorted(jobs, key=lambda job: not job.has_ended)
        self._jobs = {JobPlace(job.comment, job.index): job for job in ended_first}

    def job(self, place: JobPlace) -> SlurmJob | None:
        """Return a job as it is listed, by itself or with its whole array; None if it is not."""
        return self._jobs.get(place) or self._jobs.get(JobPlace(place.array, None))


def read_files(folder: Path, members: Sequence[Followed]) -> dict[Followed, tuple[TaskClaim | None, JobEnd | None]]:
    """Return what is new in the files of an array: who runs which task, and the ends.

    Args:
        folder: Its folder.
        members: Its tasks that are followed.
    """
    names = set(os.listdir(folder))  # opened, so that a file server is asked  # noqa: PTH208
    found: dict[Followed, tuple[TaskClaim | None, JobEnd | None]] = {}
    for followed in members:
        started, ended = f"{followed.at.index}{STARTED}", f"{followed.at.index}{ENDED}"
        claim = read_claim(folder / started) if followed.claim is None and started in names else None
        end = read_end(folder / ended) if followed.written is None and ended in names else None
        if claim or end:
            found[followed] = claim, end
    return found
