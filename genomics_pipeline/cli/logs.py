"""`genomics-pipeline logs`: the ends of the steps' logs."""

from __future__ import annotations

import click

from genomics_pipeline.cli.options import stack_option


@click.command(short_help="The end of a sample's logs, or of those that failed.")
@click.argument("run")
@stack_option
@click.option("--failed", is_flag=True, help="Of every item that failed.")
@click.option("--sample", "item", metavar="NAME", help="Of this sample (or interval, or 'cohort').")
@click.option("--stage", metavar="STAGE", help="Only of this stage of the pipeline.")
@click.option("--attempt", type=click.IntRange(min=1), help="Of this attempt of AWS Batch, not of the last.")
@click.option("--lines", default=50, show_default=True, type=click.IntRange(min=1), help="How many of the last lines.")
def logs(
    run: str, stack: str, failed: bool, item: str | None, stage: str | None, attempt: int | None, lines: int
) -> None:
    """Show the last lines of what a step's program said in RUN: a run's folder, URI or name.

    On AWS they come from CloudWatch Logs, by the Batch job of the item's last attempt.

    \b
    Examples:
      genomics-pipeline logs my-run --failed
      genomics-pipeline logs cohort-3f2a91c0d5e7 --sample NA12878 --stage alignment
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.find_run import find_run
    from genomics_pipeline.runs.logs import LogQuery, find_logs

    log = None
    for log in find_logs(find_run(run, stack, adapters()), LogQuery(failed, item, stage, attempt, lines)):
        click.secho(f"==> {log.stage} {log.item}  {log.end.source}", bold=True)
        if log.failure:
            failure = log.failure.failure
            click.secho(f"{failure.failure_class.replace('_', ' ')}: {failure.message}", fg="red")
        for line in log.end.lines:
            click.echo(line)
    if log is None:
        click.echo("no item has failed so far", err=True)
