"""`genomics-pipeline template`: print the CloudFormation template of a stack."""

from __future__ import annotations

from collections.abc import Sequence

import click

from genomics_pipeline.cli.options import pipelines_option, stack_option
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.report.output import echo, echo_json, encodable_json


@click.command(short_help="Print the CloudFormation template of a stack.")
@stack_option
@pipelines_option
@click.option("--caller-policy", is_flag=True, help="Print the IAM policy for users of the deployed stack instead.")
@click.option("--check-rights", is_flag=True, help="With --caller-policy: also allow `submit --check-rights`.")
@click.option("--index", is_flag=True, help="With --caller-policy: also allow `index --stack`.")
def template(stack: str, pipelines: Sequence[str], caller_policy: bool, check_rights: bool, index: bool) -> None:
    """Print the CloudFormation template that `deploy` applies.

    The output is the same, byte for byte, every time, and no request is sent to AWS. With --caller-policy, print the
    IAM policy that a user needs to submit, follow and cancel runs in the deployed stack; --check-rights adds the right
    to submit jobs with the stack's job definitions, --index to submit those that build indexes of references.

    \b
    Examples:
      genomics-pipeline template
      genomics-pipeline template --stack mine --pipeline ./my-pipeline.toml > stack.json
      genomics-pipeline template --caller-policy > policy.json
    """
    from genomics_pipeline.asl.canonical import canonical_json
    from genomics_pipeline.runs.stack.template import stack_template

    plan = stack_template(pipelines, stack)
    for option, is_given in (("--check-rights", check_rights), ("--index", index)):
        if is_given and not caller_policy:
            raise UsageError(f"{option}: expected --caller-policy as well, found none")
    if caller_policy:
        from genomics_pipeline.cli.adapters import aws_clients
        from genomics_pipeline.runs.stack.caller import deployed_caller_policy

        echo_json(deployed_caller_policy(plan, aws_clients(), check_rights=check_rights, index=index))
    else:
        echo(encodable_json(canonical_json(plan.document())), nl=False)
