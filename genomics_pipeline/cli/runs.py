"""`genomics-pipeline runs`: list runs and their states."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genomics_pipeline.cli.options import LocalPath, stack_option
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.runs.list_runs import RunRow

STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE", "NOT_STARTED")
LINE = "{:<44} {:<12} {:>9} {:<12} {:<20} {:>9}"


@click.command(short_help="List the runs on AWS or on this machine.")
@click.argument("folders", nargs=-1, type=LocalPath("folder"))
@stack_option
@click.option("--status", type=click.Choice(STATUSES), help="Only runs with this status.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def runs(folders: tuple[Path, ...], stack: str, status: str | None, as_json: bool) -> None:
    """List the runs of the stack, newest first, or the runs on this machine below FOLDERS.

    The status NOT_STARTED means that Step Functions does not know the run: it was never started, or it ended more than
    90 days ago.

    \b
    Examples:
      genomics-pipeline runs
      genomics-pipeline runs --status FAILED --json
      genomics-pipeline runs ~/projects
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.list_runs import local_runs, stack_runs

    rows = local_runs(folders, status) if folders else stack_runs(stack, status, adapters())
    if not as_json:
        echo_line(LINE.format("run", "pipeline", "samples", "status", "submitted", "duration"))
    for row in rows:
        if as_json:
            echo_json(asdict(row), indent=None)
        else:
            echo_line(_line(row))


def _line(row: RunRow) -> str:
    samples = "" if row.samples is None else row.samples
    submitted = row.submitted[:19].replace("T", " ")
    return LINE.format(row.run, row.pipeline, samples, row.status, submitted, _duration(row.seconds)).rstrip()


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
