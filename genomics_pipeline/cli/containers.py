"""`genomics-pipeline containers`: the images of steps."""

from __future__ import annotations

import click

from genomics_pipeline.cli.options import stack_option


@click.group(short_help="Build and push the images of steps.")
def containers() -> None:
    """Build and push the image of each step: the same wheels and programs as on this machine.

    An image's tag tells all that is in it, so that an unchanged step is never built or pushed again.

    \b
    Example:
      genomics-pipeline containers build
    """


def _chosen(command: click.decorators.FC) -> click.decorators.FC:
    """Add the options that choose images."""
    for option in (
        stack_option,
        click.option("--pipeline", default="germline", show_default=True, help="A pipeline's name or file."),
        click.option("--step", "steps", multiple=True, help="Only this step: a name, or the path of a step's folder."),
        click.option("--engine", type=click.Choice(["docker", "podman"]), help="The first installed, if not given."),
    ):
        command = option(command)
    return command


@containers.command(short_help="Build the images that are missing.")
@_chosen
def build(stack: str, pipeline: str, steps: tuple[str, ...], engine: str | None) -> None:
    """Build the images of a pipeline's steps on this machine's engine.

    \b
    Examples:
      genomics-pipeline containers build
      genomics-pipeline containers build --step ./steps/my_step
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.containers import images
    from genomics_pipeline.runs.containers.container_engine import ContainerEngine

    given = adapters()
    found = ContainerEngine(given.environment, engine)
    for wanted in images.chosen(stack, pipeline, steps):
        built = images.build(wanted, found, given.cache)
        size = found.size_mib(wanted.name)
        click.echo(f"{wanted.name}  {size} MiB  {'built' if built else 'up to date'}")


@containers.command(short_help="Push built images to the stack's repositories.")
@_chosen
def push(stack: str, pipeline: str, steps: tuple[str, ...], engine: str | None) -> None:
    """Push the images of a pipeline's steps to ECR, those that it does not have.

    \b
    Example:
      genomics-pipeline containers push
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.containers import images, push_images
    from genomics_pipeline.runs.containers.container_engine import ContainerEngine

    given = adapters()
    found = ContainerEngine(given.environment, engine)
    for wanted in images.chosen(stack, pipeline, steps):
        images.build(wanted, found, given.cache)
        target, pushed = push_images.push(wanted, found, given.clients)
        click.echo(f"{target}  {'pushed' if pushed else 'up to date'}")


@containers.command("list", short_help="Tell the images' names.")
@_chosen
def list_(stack: str, pipeline: str, steps: tuple[str, ...], engine: str | None) -> None:
    """Tell the names that the images of a pipeline's steps have, built or not.

    \b
    Example:
      genomics-pipeline containers list
    """
    from genomics_pipeline.runs.containers import images

    for wanted in images.chosen(stack, pipeline, steps):
        click.echo(wanted.name)
