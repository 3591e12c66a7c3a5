"""The adapters that the command line builds for the use cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.stores.routed import RoutedStore


@dataclass(frozen=True, slots=True)
class Adapters:
    """The AWS clients, store and environment of one command.

    Attributes:
        clients: The AWS clients.
        store: Local files and S3.
        environment: The environment variables of this process.
        home: The user's home folder; None for a user id without one.
        cache: The user's cache folder, for indexed references and wheels.
    """

    clients: Clients
    store: RoutedStore
    environment: Mapping[str, str]
    home: Path | None
    cache: Path
