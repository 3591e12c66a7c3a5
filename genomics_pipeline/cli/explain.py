"""`genomics-pipeline explain`: explain a failure."""

from __future__ import annotations

import click

from genomics_pipeline.cli.completion import complete_files
from genomics_pipeline.cli.options import stack_option
from genomics_pipeline.report.output import echo, echo_json


@click.command(short_help="Explain a failure and what to do about it.")
@click.argument("cause", metavar="CAUSE.json|RUN", shell_complete=complete_files)
@stack_option
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as one JSON object, several as an array.")
def explain(cause: str, stack: str, as_json: bool) -> None:
    """Explain the failure in CAUSE.json: its class and the reason for it, where it happened, and what to do.

    The file, or standard input for `-`, may contain a cause, an execution (`aws stepfunctions describe-execution`),
    rows of ResultWriter's FAILED file, or jobs (`aws batch describe-jobs`). Instead of a file, RUN is a run folder, its
    s3:// URI or its name, whose failures are explained. Failures of one kind are explained together.

    \b
    Examples:
      genomics-pipeline explain cause.json
      genomics-pipeline explain my-run
      aws batch describe-jobs --jobs JOB | genomics-pipeline explain -
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.report.explanation import groups_json, render_groups
    from genomics_pipeline.runs.explain import explain_file, explain_run
    from genomics_pipeline.runs.find_run import find_readable, may_be_run

    adapted = adapters()
    if may_be_run(cause):
        run = find_readable(cause, stack, adapted)
        groups, here = explain_run(run, cause), not run.files.is_on_aws
    else:
        groups, here = explain_file(cause, adapted.store), False
    if as_json:
        echo_json(groups_json(groups, here))
    else:
        echo(render_groups(groups, here))
