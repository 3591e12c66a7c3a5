"""Elastic Container Registry: images by tag, and credentials to push."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from genomics_pipeline.aws.clients import Clients, aws_call


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials with which a container engine logs in.

    Attributes:
        registry: The registry's host.
        user: Its user.
        password: Valid for 12 hours; never shown.
    """

    registry: str
    user: str
    password: str = field(repr=False)


def login(clients: Clients) -> Login:
    """Return credentials of this account's registry.

    Raises:
        RunError: if AWS refuses.
    """
    with aws_call("log in to ECR"):
        (token,) = clients.ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(token["authorizationToken"]).decode().partition(":")
    return Login(token["proxyEndpoint"].removeprefix("https://"), user, password)


def has_repository(repository: str, clients: Clients) -> bool:
    """Tell whether there is a repository with a name.

    Raises:
        RunError: if the call fails.
    """
    with aws_call(f"search the ECR repository {repository}"):
        try:
            clients.ecr.describe_repositories(repositoryNames=[repository])
        except clients.ecr.exceptions.RepositoryNotFoundException:
            return False
    return True


def has_tag(repository: str, tag: str, clients: Clients) -> bool:
    """Tell whether a repository has an image with a tag.

    Raises:
        RunError: if there is no such repository, or the call fails.
    """
    with aws_call(f"search the ECR repository {repository}"):
        try:
            clients.ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
        except clients.ecr.exceptions.ImageNotFoundException:
            return False
    return True
