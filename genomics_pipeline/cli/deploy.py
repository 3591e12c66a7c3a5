"""`genomics-pipeline deploy`: a stack made or changed on AWS."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from genomics_pipeline.cli.options import pipelines_option, stack_option, yes_option
from genomics_pipeline.cli.terminal import Terminal


@click.command(short_help="Make or change the stack on AWS, showing first what changes.")
@stack_option
@pipelines_option
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the template (may be repeated); others keep their values. `template` lists them.",
)
@yes_option
@click.option("--json", "as_json", is_flag=True, help="Print the stack's outputs as one JSON object at the end.")
def deploy(stack: str, pipelines: Sequence[str], parameters: Sequence[str], yes: bool, as_json: bool) -> None:
    """Make or change the stack that runs the pipelines on AWS.

    What would change is shown as a table and done when you agree. The stack holds the named pipelines and no others.

    \b
    Examples:
      genomics-pipeline deploy
      genomics-pipeline deploy --parameter MaxVcpus=1024 --parameter InputBuckets=arn:aws:s3:::reads
      genomics-pipeline deploy --pipeline germline --pipeline ./my-pipeline.toml --yes
    """
    from genomics_pipeline.cli.adapters import aws_clients
    from genomics_pipeline.runs.stack.deploy import deploy as deploy_stack
    from genomics_pipeline.runs.stack.deploy import parse_parameters
    from genomics_pipeline.runs.stack.template import stack_template

    given = parse_parameters(parameters)
    outputs = deploy_stack(stack_template(pipelines, stack), given, aws_clients(), Terminal(yes, quiet=as_json))
    if outputs is None:
        click.echo("nothing was changed", err=True)
    elif as_json:
        click.echo(json.dumps(outputs, indent=2))
    else:
        for name, value in outputs.items():
            click.echo(f"{name}: {value}")
        click.echo("next: genomics-pipeline containers push, then genomics-pipeline submit MANIFEST")
