"""The commands that follow `submit` and `rerun`."""

from __future__ import annotations

import click

from genomics_pipeline.model.resource_names import DEFAULT_STACK

COMMANDS = ("status {} --watch", "logs {} --failed", "results {}", "cancel {}")


def show_next_commands(run: str, stack: str) -> None:
    """Print the commands that follow once an execution of a run on AWS was started."""
    option = "" if stack == DEFAULT_STACK else f" --stack {stack}"
    click.echo("next:")
    for command in COMMANDS:
        click.echo(f"  genomics-pipeline {command.format(run)}{option}")
