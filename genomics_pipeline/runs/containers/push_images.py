"""Pushing of images to the repositories of the stack."""

from __future__ import annotations

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.registry import has_tag, login
from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from genomics_pipeline.runs.containers.images import Image


def push(wanted: Image, engine: ContainerEngine, clients: Clients) -> tuple[str, bool]:
    """Push a built image, if its repository does not have it.

    Returns:
        Its name in the registry, and whether it had to be pushed.

    Raises:
        RunError: if AWS or the engine refuses.
    """
    repository, _, tag = wanted.name.partition(":")
    allowed = login(clients)
    target = f"{allowed.registry}/{wanted.name}"
    if has_tag(repository, tag, clients):
        return target, False
    engine.run("login", "--username", allowed.user, "--password-stdin", allowed.registry, given=allowed.password)
    engine.run("tag", wanted.name, target)
    engine.run("push", target)
    return target, True
