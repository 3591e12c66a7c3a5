"""Images in the repositories of the stack."""

from __future__ import annotations

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.registry import has_tag, login
from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from genomics_pipeline.runs.containers.images import Image


def push(image: Image, engine: ContainerEngine, clients: Clients) -> tuple[str, bool]:
    """Push a built image unless its repository has it.

    Args:
        image: The image.
        engine: The container engine that has the image.
        clients: The AWS clients.

    Returns:
        The name of the image in the registry, and whether it was pushed.

    Raises:
        RunError: if AWS or the engine refuses.
    """
    repository, _, tag = image.name.partition(":")
    credentials = login(clients)
    target = f"{credentials.registry}/{image.name}"
    if has_tag(repository, tag, clients):
        return target, False
    engine.run(
        "login",
        "--username",
        credentials.user,
        "--password-stdin",
        credentials.registry,
        standard_input=credentials.password,
    )
    engine.run("tag", image.name, target)
    engine.run("push", target)
    return target, True
