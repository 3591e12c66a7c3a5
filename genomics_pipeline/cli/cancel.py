"""`genomics-pipeline cancel`: end a run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from genomics_pipeline.cli.options import (
    run_argument,
    stack_option,
)
from genomics_pipeline.model.printable import printable_line
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.runs.backend import CancelledRun


@click.command(short_help="End a run and its jobs.")
@run_argument
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@stack_option
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def cancel(run: str, yes: bool, stack: str, as_json: bool) -> None:
    """End RUN: a run folder, an s3://bucket/runs/NAME/ URI, or the name of a run in the stack.

    On AWS the execution is stopped, and every remaining Batch job of the run is terminated. A run on this machine is
    interrupted; `run --resume` continues it. Finished steps are kept.

    \b
    Examples:
      genomics-pipeline cancel cohort-0123456789ab
      genomics-pipeline cancel my-run --yes
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.model.errors import UsageError
    from genomics_pipeline.runs.find_run import find_run

    backend = find_run(run, stack, adapters())
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"cancel {run}: expected a confirmation, found no terminal; use --yes")
        click.confirm(printable_line(f"cancel {run}?"), abort=True, err=True)
    answer = backend.cancel(lambda text: echo_line(text, err=True))
    if as_json:
        echo_json({"run": answer.run, "status": answer.status, **_ended_json(answer)})
        return
    echo_line(f"{answer.run}: {answer.status or 'never run'}; {_ended_text(answer)}")


def _ended_json(answer: CancelledRun) -> dict[str, int | None]:
    """Return the process or the number of jobs that the command ended, as ``--json`` prints it."""
    return {"process": answer.process} if answer.jobs_ended is None else {"jobs_ended": answer.jobs_ended}


def _ended_text(answer: CancelledRun) -> str:
    if answer.jobs_ended is not None:
        return f"{quantity(answer.jobs_ended, 'Batch job')} ended"
    return f"process {answer.process} ended" if answer.process else "no process was running"
