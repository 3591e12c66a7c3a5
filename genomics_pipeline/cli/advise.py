"""`genomics-pipeline advise`: advice on any state machine document."""

from __future__ import annotations

import sys

import click

from genomics_pipeline.cli.completion import complete_files, complete_pipelines
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.report.output import echo, echo_json


@click.command(short_help="Find what is wrong or too expensive in a state machine document.")
@click.argument("definition", required=False, shell_complete=complete_files)
@click.option(
    "--pipeline", metavar="NAME", shell_complete=complete_pipelines, help="Advise on a pipeline's definition."
)
@click.option(
    "--type",
    "kind",
    type=click.Choice(["STANDARD", "EXPRESS"], case_sensitive=False),
    default="STANDARD",
    show_default=True,
    help="The type of the state machine, which its definition does not show.",
)
@click.option("--region", default="us-east-1", show_default=True, help="The AWS Region whose prices the savings have.")
@click.option("--json", "as_json", is_flag=True, help="Print the advice as one JSON object.")
def advise(definition: str | None, pipeline: str | None, kind: str, region: str, as_json: bool) -> None:
    """Advise on DEFINITION, a state machine document in the Amazon States Language, of any origin.

    DEFINITION is a file, a URI such as s3://bucket/definition.json, or - for standard input. First come the errors for
    which AWS would refuse it, then findings on structure and cost: each with its rule, its JSON path, the reason, and
    the estimated saving in dollars per million executions or items. docs/advice.md explains the rules. Placeholders
    such as ${FunctionArn} may stand for values that are put in when the state machine is deployed.

    A finding is an error (wrong in every execution), a warning (wrong in those that must be expected) or a note (costs
    money, or depends on the data). The exit code is 0 if there are at most notes, 1 if there are errors or warnings,
    or if the file is not JSON, and 2 for wrong usage.

    \b
    Examples:
      genomics-pipeline advise machine.asl.json
      genomics-pipeline advise --pipeline germline
      aws stepfunctions describe-state-machine --state-machine-arn ARN --query definition --output text \\
          | genomics-pipeline advise - --json
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.prices.load import load_prices, user_folder
    from genomics_pipeline.report.definition_advice import advice_json, render_advice
    from genomics_pipeline.runs.advise import advise_on_file, advise_on_pipeline

    if (definition is None) == (pipeline is None):
        raise UsageError(f"expected DEFINITION or --pipeline NAME, found {'both' if definition else 'neither'}")
    ports, express = adapters(), kind.upper() == "EXPRESS"
    prices = load_prices(region, user_folder(ports.environment, ports.home))
    if pipeline is not None:
        result = advise_on_pipeline(pipeline, prices, express=express)
    else:
        result = advise_on_file(str(definition), ports.store, prices, express=express)
    if as_json:
        echo_json(advice_json(result))
    else:
        echo(render_advice(result))
    sys.exit(0 if result.is_good else 1)
