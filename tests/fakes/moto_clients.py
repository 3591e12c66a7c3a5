"""Clients of moto for the setup of tests; cached, since creating a client takes longer than its requests."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3


@cache
def moto_client(service: str, moto: str) -> Any:
    """Return a client of a service of moto, whatever the endpoints in the environment.

    Args:
        service: The name of the service in boto3.
        moto: The URL of moto's server.
    """
    return boto3.Session(aws_access_key_id="nobody", aws_secret_access_key="nothing", region_name="us-east-1").client(
        service, endpoint_url=moto
    )  # type: ignore[call-overload]
