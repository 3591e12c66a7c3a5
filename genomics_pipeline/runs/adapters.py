"""The adapters that the command line builds for the use cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.machine import NO_LIMITS, Capacity, Limits, capacity


@dataclass(frozen=True, slots=True)
class Adapters:
    """The AWS clients, store and environment of one command.

    Attributes:
        clients: The AWS clients.
        store: Local files and S3.
        environment: The environment variables of this process.
        home: The user's home folder; None for a user id without one.
        cache: The user's cache folder, for indexed references and wheels.
        limits: What the user allows jobs to use of this machine.
        node: The largest node of the cluster that runs the jobs; None for this machine.
        keeps_tasks: Whether the cache keeps what tasks of this machine need, for the bars and plans of later runs.
    """

    clients: Clients
    store: RoutedStore
    environment: Mapping[str, str]
    home: Path | None
    cache: Path
    limits: Limits = NO_LIMITS
    node: Capacity | None = None
    keeps_tasks: bool = False

    def capacity(self) -> Capacity:
        """Return the cores and the memory for jobs, of this machine or of a node."""
        return self.node or capacity(self.environment, self.limits)
