"""A boto3 session whose clients outlive a command and a test: creating one takes longer than its requests."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3

from tests.fakes.shapes import watch

SERVICE_IDS = {"stepfunctions": "SFN"}  # in names of variables, where they are not the names in boto3
ENDPOINT = "AWS_ENDPOINT_URL_"


class SharedSession(boto3.Session):
    """A session that creates a client again only if the environment of its service has changed.

    Attributes:
        problems: The problems of requests and responses, see `watch`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.problems = watch(self)
        self._made: dict[tuple[str, str], tuple[dict[str, str], Any]] = {}

    def client(self, service_name: str, config: Any = None, **options: Any) -> Any:  # type: ignore[override]
        """Return the client of a service; one with options of its own is made anew."""
        if options:
            return super().client(service_name, config=config, **options)  # type: ignore[call-overload]
        own = ENDPOINT + SERVICE_IDS.get(service_name, service_name.upper())
        variables = {
            name: value
            for name, value in os.environ.items()
            if name.startswith("AWS_") and (name == own or not name.startswith(ENDPOINT))
        }
        key = (service_name, repr(config and config._user_provided_options))
        if key not in self._made or self._made[key][0] != variables:
            self._made[key] = variables, super().client(service_name, config=config)  # type: ignore[call-overload]
        return self._made[key][1]


@cache
def shared_session() -> SharedSession:
    """Return the session of this process."""
    return SharedSession()
