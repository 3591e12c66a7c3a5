"""`genomics-pipeline delete`: delete a run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from genomics_pipeline.cli.options import (
    run_argument,
    stack_option,
    yes_option,
)
from genomics_pipeline.model.quantity import binary_size, quantity
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.runs.deletion import DeletionRequest, RunContents

SHOWN = 10  # referrers, and names of files that are kept


@click.command(short_help="Delete a run and its results.")
@run_argument
@click.option("--versions", is_flag=True, help="On AWS, also delete noncurrent versions, permanently.")
@click.option("--dry-run", is_flag=True, help="Show what the run holds; delete nothing.")
@yes_option
@stack_option
@click.option("--json", "as_json", is_flag=True, help="Print the run and the outcome as one JSON object.")
def delete(run: str, versions: bool, dry_run: bool, yes: bool, stack: str, as_json: bool) -> None:
    """Delete RUN: a run folder, an s3://bucket/runs/NAME/ URI, or the name of a run in the stack.

    First, the size, the age and the status of the run are shown, and what refers to its files: links and runs beside
    it, or the other runs of the stack. A run that is running is refused. Links are deleted, and never followed. Files
    in the folder that are not a run's are kept. The record of the run is deleted last, so that an interrupted deletion
    can be repeated.

    The bucket of a stack keeps versions of deleted objects, at the price of objects, for NoncurrentVersionDays (a
    parameter of the stack); with --versions, they are deleted at once.

    \b
    Examples:
      genomics-pipeline delete my-run
      genomics-pipeline delete cohort-0123456789ab --versions --dry-run
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.cli.terminal import Terminal
    from genomics_pipeline.runs.deletion import DeletionRequest
    from genomics_pipeline.runs.find_run import find_run

    backend, request = find_run(run, stack, adapters()), DeletionRequest(versions)
    contents = backend.contents(request)
    for line in _lines(contents, backend.files.is_on_aws, request):
        echo_line(line, err=as_json)
    deleted = not dry_run and Terminal(yes, quiet=as_json).confirm(f"delete {contents.place}?")
    if deleted:
        backend.delete(request, lambda text: echo_line(text, err=True))
    if as_json:
        echo_json({**contents.to_json(), "versions": versions, "deleted": deleted})
    else:
        echo_line("deleted" if deleted else "nothing was deleted")


def _lines(contents: RunContents, is_on_aws: bool, request: DeletionRequest) -> Iterator[str]:
    """Yield lines about a run: what it holds, what refers to it, and what is kept.

    Args:
        contents: What it holds.
        is_on_aws: Whether it is a run on AWS.
        request: The request.
    """
    yield f"{contents.place}: {contents.status or 'never run'}{_age(contents.begun)}"
    noun = "file" if not is_on_aws else "object version" if request.versions else "object"
    count = quantity(contents.files, noun, ",")
    yield f"holds {count}, {binary_size(contents.size_bytes)}, of {quantity(contents.executions, 'execution')}"
    for referrer in contents.referrers[:SHOWN]:
        yield f"refers to it: {referrer}"
    if (more := len(contents.referrers) - SHOWN) > 0:
        yield f"refers to it: {more} more"
    if contents.kept:
        names = ", ".join(contents.kept[:SHOWN])
        yield f"kept, because no run wrote it: {quantity(len(contents.kept), 'file or folder')}, such as {names}"
    if is_on_aws and not request.versions:
        yield "S3 keeps their versions for NoncurrentVersionDays (a parameter of the stack); --versions deletes them"


def _age(begun: str) -> str:
    if not begun:
        return ""
    days = max((datetime.now(UTC) - datetime.fromisoformat(begun)).days, 0)
    return f", begun {begun[:19].replace('T', ' ')}, {quantity(days, 'day')} ago"
