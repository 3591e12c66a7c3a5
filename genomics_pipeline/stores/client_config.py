"""The configuration of every boto3 client: its Region, retries, and connections that are kept open."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.config import Config

ROUTED_CONNECTIONS = 64  # kept open by a `RoutedStore`, for several transfers at once
ATTEMPTS = 10  # of one request, the first included; botocore waits between them, with exponential backoff and jitter


def client_config(connections: int) -> Config:
    """Return the configuration of a client that keeps this number of connections open, one for each thread."""
    from botocore.config import Config

    retries: Any = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    # S3 verifies the checksum of each body; signing its sha256, the default without TLS, would read it a second time.
    s3: Any = {"payload_signing_enabled": False}
    return Config(retries=retries, max_pool_connections=connections, s3=s3)


def honour_region(environment: MutableMapping[str, str]) -> None:
    """Give AWS_REGION, where it is set, to boto3, which reads AWS_DEFAULT_REGION only; the other SDKs prefer it, too.

    >>> variables = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}
    >>> honour_region(variables)
    >>> variables["AWS_DEFAULT_REGION"]
    'eu-west-1'
    """
    if region := environment.get("AWS_REGION"):
        environment["AWS_DEFAULT_REGION"] = region
