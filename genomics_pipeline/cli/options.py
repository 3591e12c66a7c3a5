"""Options that several commands share."""

from __future__ import annotations

import click

from genomics_pipeline.model.resource_names import DEFAULT_STACK, STACK


def _stack(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not STACK.fullmatch(value):
        message = "expected at most 32 lower-case letters, digits and single '-', beginning with a letter"
        raise click.BadParameter(f"{message}, found {value!r}")
    return value


stack_option = click.option(
    "--stack",
    default=DEFAULT_STACK,
    show_default=True,
    envvar="GENOMICS_PIPELINE_STACK",
    callback=_stack,
    help="The CloudFormation stack's name.",
)
