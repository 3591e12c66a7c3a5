"""`genomics-pipeline redrive`: go on with a run on AWS where it failed."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from genomics_pipeline.cli.options import stack_option


@click.command(short_help="Go on with a run on AWS where it failed.")
@click.argument("run")
@stack_option
@click.option("--keep-definition", is_flag=True, help="Also where another definition is deployed by now.")
@click.option("--all-items", is_flag=True, help="Also where AWS then begins again with all items.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def redrive(run: str, stack: str, keep_definition: bool, all_items: bool, as_json: bool) -> None:
    """Go on with RUN where it failed or was cancelled, as AWS's redrive does: an s3:// URI, or a run of the stack.

    It stays the same execution, with the same definition and input: what succeeded is kept, what was aborted or pending
    runs. AWS does not redrive every execution, and a failure that the pipeline caught is not tried again: then it is
    said why, and which rerun helps. Exit code 0: it was redriven; 1: it was not.

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
        click.echo(json.dumps(asdict(answer), indent=2))
    elif answer.redriven:
        click.echo(f"{answer.run}: redriven, the {_ordinal(answer.redrive_count)} time")
        click.echo(f"genomics-pipeline status {run} --watch")
    else:
        click.echo(f"error: {answer.run}: not redriven: {answer.message}", err=True)
        if answer.rerun:
            click.echo(answer.rerun, err=True)
    sys.exit(0 if answer.redriven else 1)


def _ordinal(number: int) -> str:
    """Return an ordinal number.

    >>> _ordinal(1), _ordinal(2), _ordinal(11), _ordinal(23)
    ('1st', '2nd', '11th', '23rd')
    """
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
