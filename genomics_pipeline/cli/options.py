"""Options that several commands share."""

from __future__ import annotations

import click

from genomics_pipeline.model.resource_names import DEFAULT_STACK, resource_names


def _stack(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    return resource_names(value).stack


stack_option = click.option(
    "--stack",
    default=DEFAULT_STACK,
    show_default=True,
    envvar="GENOMICS_PIPELINE_STACK",
    show_envvar=True,
    callback=_stack,
    help="The CloudFormation stack's name.",
)
pipelines_option = click.option(
    "--pipeline",
    "pipelines",
    multiple=True,
    metavar="PIPELINE",
    help="A pipeline's name, or a pipeline file (may be repeated); all shipped ones where none is given.",
)
yes_option = click.option("--yes", is_flag=True, help="Do it without asking.")
