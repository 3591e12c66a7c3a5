"""Elastic Container Registry: which images are there, and how an engine may push."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from genomics_pipeline.aws.clients import Clients, aws_call


@dataclass(frozen=True, slots=True)
class Login:
    """What a container engine logs in with.

    Attributes:
        registry: The registry's host.
        user: Its user.
        password: Good for 12 hours; never shown.
    """

    registry: str
    user: str
    password: str = field(repr=False)


def login(clients: Clients) -> Login:
    """Of this account's registry.

    Raises:
        RunError: if AWS refuses.
    """
    with aws_call("log in to ECR"):
        (found,) = clients.ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
    return Login(found["proxyEndpoint"].removeprefix("https://"), user, password)


def has_tag(repository: str, tag: str, clients: Clients) -> bool:
    """Whether a repository has an image of that tag.

    Raises:
        RunError: if there is no such repository, or AWS cannot be asked.
    """
    with aws_call(f"look into the ECR repository {repository}"):
        try:
            clients.ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
        except clients.ecr.exceptions.ImageNotFoundException:
            return False
    return True
