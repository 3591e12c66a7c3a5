"""`genomics-pipeline template`: the CloudFormation template of a stack."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from genomics_pipeline.cli.options import pipelines_option, stack_option


@click.command(short_help="Print the CloudFormation template of a stack.")
@stack_option
@pipelines_option
@click.option("--caller-policy", is_flag=True, help="Print the IAM policy of those who use the deployed stack instead.")
def template(stack: str, pipelines: Sequence[str], caller_policy: bool) -> None:
    """Print the CloudFormation template that `deploy` applies: the same bytes every time, and nothing is asked of AWS.

    With --caller-policy: what a person may do who submits runs to the deployed stack, follows and cancels them.

    \b
    Examples:
      genomics-pipeline template
      genomics-pipeline template --stack mine --pipeline ./my-pipeline.toml > stack.json
      genomics-pipeline template --caller-policy > policy.json
    """
    from genomics_pipeline.asl.canonical import canonical_json
    from genomics_pipeline.runs.stack.template import stack_template

    plan = stack_template(pipelines, stack)
    if caller_policy:
        from genomics_pipeline.cli.adapters import aws_clients
        from genomics_pipeline.runs.stack.caller import caller_of

        click.echo(json.dumps(caller_of(plan, aws_clients()), indent=2))
    else:
        click.echo(canonical_json(plan.document()), nl=False)
