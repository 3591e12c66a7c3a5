"""`genomics-pipeline redrive`: continue a run on AWS where it failed."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from genomics_pipeline.cli.options import (
    run_argument,
    stack_option,
)
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.output import echo_error, echo_json, echo_line


@click.command(short_help="Continue a run on AWS where it failed.")
@run_argument
@stack_option
@click.option("--keep-definition", is_flag=True, help="Redrive even if another definition has been deployed since.")
@click.option("--all-items", is_flag=True, help="Redrive even if AWS then starts again with all items.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def redrive(run: str, stack: str, keep_definition: bool, all_items: bool, as_json: bool) -> None:
    """Continue RUN where it failed or was cancelled: an s3:// URI, or the name of a run in the stack.

    A redrive continues the same execution, with the same definition and input. Items that succeeded are kept; items
    that were aborted or are pending run. AWS does not redrive every execution, and does not retry a failure that the
    definition caught. In these cases the command prints the reason and the rerun to use instead.

    The exit code is 0 if the run was redriven, else 1.

    \b
    Examples:
      genomics-pipeline redrive cohort-3f2a91c0d5e7
      genomics-pipeline redrive s3://bucket/runs/cohort-3f2a91c0d5e7/ --keep-definition
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.find_run import find_run
    from genomics_pipeline.runs.redrive import RedriveRequest

    answer = find_run(run, stack, adapters()).redrive(RedriveRequest(keep_definition, all_items))
    if as_json:
        echo_json(asdict(answer))
    elif answer.redriven:
        echo_line(f"{answer.run}: redriven for the {_ordinal(answer.redrive_count)} time")
        echo_line(command_line("status", run, "--watch"))
    else:
        echo_error(f"{answer.run}: not redriven: {answer.message}")
        if answer.rerun:
            echo_line(answer.rerun, err=True)
    sys.exit(0 if answer.redriven else 1)


def _ordinal(number: int) -> str:
    """Return an ordinal number.

    >>> _ordinal(1), _ordinal(2), _ordinal(11), _ordinal(23)
    ('1st', '2nd', '11th', '23rd')
    """
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
