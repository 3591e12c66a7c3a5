"""The commands to use after `submit` and `rerun`."""

from __future__ import annotations

import click

from genomics_pipeline.model.resource_names import DEFAULT_STACK

COMMANDS = ("status {} --watch", "logs {} --failed", "results {}", "cancel {}")


def show_next_commands(run: str, stack: str) -> None:
    """Print the commands to use after an execution on AWS has been started."""
    option = "" if stack == DEFAULT_STACK else f" --stack {stack}"
    click.echo("next:")
    for command in COMMANDS:
        click.echo(f"  genomics-pipeline {command.format(run)}{option}")
