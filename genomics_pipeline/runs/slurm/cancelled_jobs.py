"""Cancellation of the jobs of a run whose head is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.slurm.node_task import CANCELLED
from genomics_pipeline.runs.slurm.submission import JobPlace, earlier_places
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
    if not (run / run_layout.SLURM_ARRAYS).is_dir():
        return
    slurm = SlurmCommands(environment)
    try:
        alive = {JobPlace(job.comment, job.index): job.job_id for job in slurm.jobs() if not job.has_ended}
        ids = {key: alive[place] for key, place in earlier_places(run).items() if place in alive}
        for key in ids:
            publish_bytes(run / run_layout.SLURM_JOBS / f"{key}{CANCELLED}", b"", run)
        if ids:
            slurm.cancel(list(ids.values()))
            note(f"cancelled in Slurm: {', '.join(ids.values())}")
    except SlurmError as error:
        raise RunError(f"{run}: its jobs in Slurm may still run: {error.message}; repeat the command") from None
