"""The configuration of every boto3 client: retries of requests that fail for a moment, connections kept open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.config import Config

ROUTED_CONNECTIONS = 64  # kept open by a `RoutedStore`, for some transfers at the same time
ATTEMPTS = 10  # of one request, the first included; botocore waits between them, exponentially and with jitter


def client_config(connections: int) -> Config:
    """Return the configuration of a client that some number of threads may use at once."""
    from botocore.config import Config

    retries: Any = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    # S3 verifies the checksum of each body. Signing its sha256 too, the default without TLS, would read it once more.
    s3: Any = {"payload_signing_enabled": False}
    return Config(retries=retries, max_pool_connections=connections, s3=s3)
