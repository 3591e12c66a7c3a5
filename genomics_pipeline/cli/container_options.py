"""The options of tasks in containers."""

from __future__ import annotations

import click

from genomics_pipeline.model.container_choice import CONTAINERS, ENGINE, NO_CONTAINERS


def _chosen(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    return value or NO_CONTAINERS


def container_options(command: click.decorators.FC) -> click.decorators.FC:
    """Add the options of tasks in containers."""
    for option in (
        click.option(
            "--container-registry",
            "registry",
            envvar="GENOMICS_PIPELINE_CONTAINER_REGISTRY",
            show_envvar=True,
            default="",
            metavar="HOST[/PATH]",
            help="The registry from which Apptainer pulls the images of steps, once, into the cache.",
        ),
        click.option(
            "--containers",
            is_flag=False,
            flag_value=ENGINE,
            envvar="GENOMICS_PIPELINE_CONTAINERS",
            show_envvar=True,
            type=click.Choice(CONTAINERS),
            callback=_chosen,
            help="Run each task in a container of its step's image: by docker or podman (engine, or no value), or by "
            "Apptainer: docs/slurm.md.",
        ),
    ):
        command = option(command)
    return command
