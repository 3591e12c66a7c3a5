"""The adapters of every command: boto3's clients, the object store and the environment, built on first use."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.cli.chosen_cache import chosen_cache
from genomics_pipeline.reference.cache import cache_folder, home_if_any
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.stores.client_config import ROUTED_CONNECTIONS, create_client
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.machine import NO_LIMITS, Limits

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3 import S3Client

KEEP_TASKS = "GENOMICS_PIPELINE_KEEP_TASKS"  # "no": neither kept nor read, so that plans do not depend on earlier runs


def aws_clients(region: str | None = None) -> Clients:
    """Build the clients of the default session, or of one for a Region."""
    return Clients(_session if region is None else partial(_session, region))


def object_store() -> RoutedStore:
    """Build the store over local files and S3."""
    return RoutedStore(_s3)


def adapters(limits: Limits = NO_LIMITS) -> Adapters:
    """Build the adapters of a use case, without importing boto3 or sending a request to AWS.

    Args:
        limits: What the user allows jobs to use of this machine.
    """
    home = home_if_any(Path.home)
    cache = chosen_cache() or cache_folder(os.environ, home, gettempdir)
    keeps_tasks = os.environ.get(KEEP_TASKS) != "no"
    return Adapters(aws_clients(), object_store(), os.environ, home, cache, limits, keeps_tasks=keeps_tasks)


def _session(region: str | None = None) -> boto3.Session:
    import boto3

    return boto3.Session(region_name=region)


def _s3() -> S3Client:
    import boto3

    client: S3Client = create_client(boto3.client, "s3", ROUTED_CONNECTIONS)
    return client
