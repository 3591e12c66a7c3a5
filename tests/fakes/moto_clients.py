"""Clients of moto for what tests set up: made once a process, since a client takes longer to make than its requests."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3


@cache
def moto_client(service: str, moto: str) -> Any:
    """Return a client of a service, whatever the environment says of endpoints.

    Args:
        service: As boto3 names it.
        moto: The URL of moto's server.
    """
    return boto3.Session(aws_access_key_id="nobody", aws_secret_access_key="nothing", region_name="us-east-1").client(
        service, endpoint_url=moto
    )  # type: ignore[call-overload]
