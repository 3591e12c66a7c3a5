"""Options that several commands share, or whose values have a syntax of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genomics_pipeline.model.resource_names import DEFAULT_STACK, resource_names

if TYPE_CHECKING:
    from genomics_pipeline.model.rerun import StageMemory


def _stack(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    return resource_names(value).stack


stack_option = click.option(
    "--stack",
    default=DEFAULT_STACK,
    show_default=True,
    envvar="GENOMICS_PIPELINE_STACK",
    show_envvar=True,
    callback=_stack,
    help="The name of the CloudFormation stack.",
)


def _tolerance(_context: click.Context, _parameter: click.Parameter, value: str | None) -> dict[str, float] | None:
    from genomics_pipeline.cli.arguments import parse_tolerance

    return None if value is None else parse_tolerance(value)


def _memory(_context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> tuple[StageMemory, ...]:
    from genomics_pipeline.cli.arguments import parse_memory

    return parse_memory(value)


param_option = click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="STAGE.NAME=VALUE",
    help="Set a parameter of a stage (may be repeated).",
)
tolerate_option = click.option(
    "--tolerate",
    "tolerated",
    metavar="5%|20",
    callback=_tolerance,
    help="Tolerate this share or number of failed samples of the run.",
)
memory_option = click.option(
    "--memory",
    multiple=True,
    metavar="[STAGE=]MIB",
    callback=_memory,
    help="Start with this memory, in all stages over samples or in one (may be repeated).",
)
pipeline_option = click.option(
    "--pipeline", default="germline", show_default=True, help="A pipeline's name, or a pipeline file."
)
pipelines_option = click.option(
    "--pipeline",
    "pipelines",
    multiple=True,
    metavar="PIPELINE",
    help="A pipeline's name, or a pipeline file (may be repeated); by default all shipped pipelines.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
