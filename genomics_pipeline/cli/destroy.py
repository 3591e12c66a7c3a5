"""`genomics-pipeline destroy`: a stack taken away."""

from __future__ import annotations

import click

from genomics_pipeline.cli.options import stack_option, yes_option
from genomics_pipeline.cli.terminal import Terminal

GB_MONTH = "S3 Standard: about $0.023 a GB and month in us-east-1"


@click.command(short_help="Delete the stack; keep its bucket unless told otherwise.")
@stack_option
@click.option("--delete-data", is_flag=True, help="Delete the bucket too: every run, result and version.")
@yes_option
def destroy(stack: str, delete_data: bool, yes: bool) -> None:
    """Delete the stack: state machines, queues, hosts, images and logs. Its bucket is kept, unless --delete-data.

    \b
    Examples:
      genomics-pipeline destroy
      genomics-pipeline destroy --delete-data --yes
    """
    from genomics_pipeline.cli.adapters import aws_clients
    from genomics_pipeline.runs.stack.destroy import destroy as destroy_stack

    def deleted(count: int) -> None:
        click.echo(f"{count} versions of objects deleted", err=True)

    left = destroy_stack(stack, delete_data, aws_clients(), Terminal(yes), deleted)
    if left is None:
        click.echo("nothing was deleted", err=True)
    elif left.kept:
        click.echo(f"kept: s3://{left.kept} with all runs; it costs what it holds ({GB_MONTH})")
    else:
        click.echo("nothing is left")
