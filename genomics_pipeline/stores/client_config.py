"""The configuration of every boto3 client: its Region, retries, and connections that are kept open."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from genomics_pipeline.model.errors import UsageError

if TYPE_CHECKING:
    from botocore.config import Config

ROUTED_CONNECTIONS = 64  # kept open by a `RoutedStore`, for several transfers at once
ANSWER_S = 60  # botocore's default
ATTEMPTS = 10  # of one request, the first included; botocore waits between them, with exponential backoff and jitter


def create_client(
    create: Callable[..., Any], service: str, connections: int, *, attempts: int | None = None, answer_s: int = ANSWER_S
) -> Any:
    """Create the client of a service.

    Args:
        create: ``boto3.client``, or that method of a session.
        service: The name of the service in boto3.
        connections: The number of connections that are kept open, one for each thread.
        attempts: The attempts of a request, the first included; `ATTEMPTS` for None.
        answer_s: The time in seconds to wait for an answer.

    Raises:
        UsageError: for an endpoint that is no URL, or one with a password; the message does not contain it.
    """
    from botocore.exceptions import BotoCoreError

    try:
        client = create(service, config=_config(connections, attempts or ATTEMPTS, answer_s))
        is_usable = _is_endpoint(client.meta.endpoint_url)
    except ValueError as error:  # of botocore and urllib.parse, whose messages contain the endpoint
        if isinstance(error, BotoCoreError):  # such as that of an invalid Region
            raise
        is_usable = False
    if not is_usable:
        expected = "expected a URL without user and password, such as https://HOST:PORT, or none for AWS itself"
        where = f"AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_… of the service {service}, or endpoint_url of the profile"
        raise UsageError(f"{where}: {expected}, found another text (not shown: it may contain a password)")
    return client


def _is_endpoint(url: str) -> bool:
    """Return whether a text is a URL of a service.

    Raises:
        ValueError: for one that cannot be parsed.
    """
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0


def _config(connections: int, attempts: int, answer_s: int) -> Config:
    from botocore.config import Config

    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    # S3 verifies the checksum of each body; signing its sha256, the default without TLS, would read it a second time.
    s3: Any = {"payload_signing_enabled": False}
    return Config(retries=retries, max_pool_connections=connections, read_timeout=answer_s, s3=s3)


def honour_region(environment: MutableMapping[str, str]) -> None:
    """Give AWS_REGION, where it is set, to boto3, which reads AWS_DEFAULT_REGION only; the other SDKs prefer it, too.

    >>> variables = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}
    >>> honour_region(variables)
    >>> variables["AWS_DEFAULT_REGION"]
    'eu-west-1'
    """
    if region := environment.get("AWS_REGION"):
        environment["AWS_DEFAULT_REGION"] = region
