"""How every client of boto3 asks: again where AWS fails for a moment, over connections that are kept open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.config import Config

ROUTED_CONNECTIONS = 64  # kept open by a `RoutedStore`: those of some transfers at the same time
ATTEMPTS = 10  # of one request, the first included: botocore waits between them, longer each time, with jitter


def client_config(connections: int) -> Config:
    """The configuration of a client.

    Args:
        connections: How many threads may use it at once.
    """
    from botocore.config import Config

    retries: Any = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    # S3 verifies the checksum of each body. To sign its sha256 too, as is done without TLS, would read it once more.
    s3: Any = {"payload_signing_enabled": False}
    return Config(retries=retries, max_pool_connections=connections, s3=s3)
