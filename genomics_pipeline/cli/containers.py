"""`genomics-pipeline containers`: the images of steps."""

from __future__ import annotations

import click

from genomics_pipeline.cli.options import pipelines_option, stack_option
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.report.output import echo_line


@click.group(short_help="Build and push the images of steps.")
def containers() -> None:
    """Build and push the images of steps, with the same wheels and programs as on this machine.

    The tag of an image identifies its contents, so an unchanged step is never built or pushed again.

    \b
    Example:
      genomics-pipeline containers build
    """


def _image_options(command: click.decorators.FC) -> click.decorators.FC:
    """Add the options that select images."""
    for option in (
        stack_option,
        pipelines_option,
        click.option(
            "--step",
            "steps",
            multiple=True,
            help="Select this step only: a name, or the path of a step's folder (may be repeated).",
        ),
        click.option(
            "--intake", is_flag=True, help="Select the image of `deploy --intake` too; `push` knows by itself."
        ),
        click.option(
            "--engine",
            type=click.Choice(["docker", "podman"]),
            help="The container engine; by default the first installed one.",
        ),
    ):
        command = option(command)
    return command


def _architecture(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Architecture | None:
    return None if value is None else Architecture(value)


_architecture_option = click.option(
    "--architecture",
    type=click.Choice([str(architecture) for architecture in Architecture]),
    callback=_architecture,
    help="The processor of the hosts; by default this machine's.",
)


@containers.command(short_help="Build the images that are missing.")
@_image_options
@_architecture_option
def build(
    stack: str,
    pipelines: tuple[str, ...],
    steps: tuple[str, ...],
    intake: bool,
    engine: str | None,
    architecture: Architecture | None,
) -> None:
    """Build the images of the pipelines' steps with the container engine of this machine.

    \b
    Examples:
      genomics-pipeline containers build
      genomics-pipeline containers build --pipeline germline
      genomics-pipeline containers build --step ./steps/my_step
      genomics-pipeline containers build --architecture arm64
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.containers import images
    from genomics_pipeline.runs.containers.container_engine import ContainerEngine

    ports = adapters()
    container_engine = ContainerEngine(ports.environment, engine)
    hosts = architecture or images.this_architecture()
    for image in images.select_images(stack, pipelines, steps, hosts, intake=intake):
        built = images.build(image, container_engine, ports.cache)
        size = container_engine.size_mib(image.name)
        echo_line(f"{image.name}  {size} MiB  {'built' if built else 'up to date'}")


@containers.command(short_help="Push images to the stack's ECR repositories.")
@_image_options
def push(stack: str, pipelines: tuple[str, ...], steps: tuple[str, ...], intake: bool, engine: str | None) -> None:
    """Push the images of the pipelines' steps that ECR does not have yet, for the processors of the stack's hosts.

    \b
    Example:
      genomics-pipeline containers push
    """
    from genomics_pipeline.aws.deployment import find_deployment
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.containers import images, push_images
    from genomics_pipeline.runs.containers.container_engine import ContainerEngine

    ports = adapters()
    container_engine = ContainerEngine(ports.environment, engine)
    deployment = find_deployment(stack, ports.clients)
    intake = intake or bool(deployment.intake and not steps)
    for image in images.select_images(stack, pipelines, steps, deployment.architecture, intake=intake):
        images.build(image, container_engine, ports.cache)
        target, pushed = push_images.push(image, container_engine, ports.clients)
        echo_line(f"{target}  {'pushed' if pushed else 'up to date'}")


@containers.command("list", short_help="List the names of the images.")
@_image_options
@_architecture_option
def list_(
    stack: str,
    pipelines: tuple[str, ...],
    steps: tuple[str, ...],
    intake: bool,
    engine: str | None,
    architecture: Architecture | None,
) -> None:
    """List the names of the images of the pipelines' steps, built or not.

    \b
    Example:
      genomics-pipeline containers list
    """
    from genomics_pipeline.runs.containers import images

    hosts = architecture or images.this_architecture()
    for image in images.select_images(stack, pipelines, steps, hosts, intake=intake):
        echo_line(image.name)
