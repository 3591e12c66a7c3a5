"""Cancellation of the jobs of a run whose head is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.slurm.node_task import CANCELLED, ENDED
from genomics_pipeline.runs.slurm.submission import earlier_places
from genomics_pipeline.slurm.commands import SlurmCommands, SlurmError
from genomics_pipeline.stores.publish import publish_bytes


def cancel_jobs(run: Path, environment: Mapping[str, str], note: Callable[[str], None]) -> None:
    """Cancel the jobs of a run that wait or run in Slurm; when the run is resumed, it submits their tasks again.

    Args:
        run: The folder of the run.
        environment: The environment variables.
        note: Shows the number of the jobs.

    Raises:
        RunError: if the run has jobs in Slurm, and Slurm does not answer.
    """
    arrays = run / run_layout.SLURM
    if not arrays.is_dir():
        return
    slurm, places = SlurmCommands(environment), list(earlier_places(run).values())
    known = {place.array for place in places}
    try:
        alive = [job for job in slurm.jobs() if not job.has_ended and job.comment in known]
        ended_by_us = {job.comment for job in alive}
        for place in places:
            task = arrays / place.array / str(place.index)
            if place.array in ended_by_us and not task.with_name(f"{task.name}{ENDED}").exists():
                publish_bytes(task.with_name(f"{task.name}{CANCELLED}"), b"", run)
        if alive:
            ids = sorted(job.job_id for job in alive)
            slurm.cancel(ids)
            note(f"cancelled in Slurm: {', '.join(ids)}")
    except SlurmError as error:
        raise RunError(f"{run}: its jobs in Slurm may still run: {error.message}; repeat the command") from None
