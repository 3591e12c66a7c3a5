"""`genomics-pipeline destroy`: delete the stack."""

from __future__ import annotations

import click

from genomics_pipeline.cli.options import stack_option, yes_option
from genomics_pipeline.cli.terminal import Terminal
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.report.output import echo_line

GB_MONTH = "S3 Standard: about $0.023 for each GB and month in us-east-1"


@click.command(short_help="Delete the stack, but keep its bucket.")
@stack_option
@click.option("--delete-data", is_flag=True, help="Also delete the bucket, with every run, result and version.")
@yes_option
def destroy(stack: str, delete_data: bool, yes: bool) -> None:
    """Delete the stack: its state machines, queues, hosts, images and logs.

    The bucket is kept unless you give --delete-data.

    \b
    Examples:
      genomics-pipeline destroy
      genomics-pipeline destroy --delete-data --yes
    """
    from genomics_pipeline.cli.adapters import aws_clients
    from genomics_pipeline.runs.stack.destroy import destroy as destroy_stack

    def report_deleted(count: int) -> None:
        echo_line(f"{quantity(count, 'object version')} deleted", err=True)

    left = destroy_stack(stack, delete_data, aws_clients(), Terminal(yes), report_deleted)
    if left is None:
        echo_line("nothing was deleted", err=True)
    elif left.kept_bucket:
        echo_line(f"kept: s3://{left.kept_bucket} with all runs; AWS charges for its storage ({GB_MONTH})")
    else:
        echo_line("nothing is left")
