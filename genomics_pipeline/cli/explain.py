"""`genomics-pipeline explain`: explain a failure."""

from __future__ import annotations

import click

from genomics_pipeline.report.output import echo, echo_json


@click.command(short_help="Explain a failure and what to do about it.")
@click.argument("cause", metavar="CAUSE.json")
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as one JSON object.")
def explain(cause: str, as_json: bool) -> None:
    """Explain the failure in CAUSE.json: its class and the reason for it, where it happened, and what to do.

    The file, or standard input for `-`, may contain a cause, an execution (`aws stepfunctions describe-execution`), a
    row of ResultWriter's FAILED file, or a job (`aws batch describe-jobs`).

    \b
    Examples:
      genomics-pipeline explain cause.json
      aws batch describe-jobs --jobs JOB | genomics-pipeline explain -
    """
    from genomics_pipeline.cli.adapters import object_store
    from genomics_pipeline.report.explanation import explanation_json, render_explanation
    from genomics_pipeline.runs.explain import explain_file

    failure = explain_file(cause, object_store())
    if as_json:
        echo_json(explanation_json(failure))
    else:
        echo(render_explanation(failure))
