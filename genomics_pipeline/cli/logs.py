"""`genomics-pipeline logs`: show the last lines of task logs."""

from __future__ import annotations

import click

from genomics_pipeline.cli.completion import complete_samples, complete_stages
from genomics_pipeline.cli.options import (
    run_argument,
    stack_option,
)
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.printable import indented
from genomics_pipeline.report.output import echo_line


@click.command(short_help="Show the logs of a sample, or of all failed items.")
@run_argument
@click.argument("sample", required=False, shell_complete=complete_samples)
@stack_option
@click.option("--failed", is_flag=True, help="Show the log of every item that failed.")
@click.option(
    "--sample",
    "item",
    metavar="NAME",
    shell_complete=complete_samples,
    help="Show the logs of this sample (or interval, or 'cohort'); the same as SAMPLE.",
)
@click.option("--head", is_flag=True, help="Show the output of the run's head, if it is a job of Slurm.")
@click.option("--stage", metavar="STAGE", shell_complete=complete_stages, help="Show the logs of this stage only.")
@click.option(
    "--attempt", type=click.IntRange(min=1), help="Show this attempt of the Batch job; by default the last one."
)
@click.option(
    "--lines",
    default=50,
    show_default=True,
    type=click.IntRange(min=1),
    help="Number of lines to show from the end of each log.",
)
def logs(
    run: str,
    sample: str | None,
    stack: str,
    failed: bool,
    item: str | None,
    head: bool,
    stage: str | None,
    attempt: int | None,
    lines: int,
) -> None:
    """Show the last lines of the logs of tasks in RUN, a run folder, URI or name: of SAMPLE, or of all that failed.

    On AWS the lines are read from CloudWatch Logs, from the log stream of the task's last attempt.

    \b
    Examples:
      genomics-pipeline logs my-run --failed
      genomics-pipeline logs cohort-3f2a91c0d5e7 NA12878 --stage alignment
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.find_run import find_run
    from genomics_pipeline.runs.logs import LogQuery, find_logs, head_log

    if sample and item not in (None, sample):
        raise UsageError(f"expected one sample, found {sample} and --sample {item}")
    if head:
        end = head_log(run, lines)
        echo_line(f"==> head  {end.source}", bold=True)
        for line in end.lines:
            echo_line(line)
        return
    log = None
    for log in find_logs(find_run(run, stack, adapters()), LogQuery(failed, sample or item, stage, attempt, lines)):
        echo_line(f"==> {log.stage} {log.item}  {log.end.source}", bold=True)
        if log.failure:
            failure = log.failure.failure
            for line in f"{failure.failure_class.replace('_', ' ')}: {indented(failure.message)}".split("\n"):
                echo_line(line, colour="red")
        for line in log.end.lines:
            echo_line(line)
    if log is None:
        echo_line("no item has failed so far, or none has a log", err=True)
