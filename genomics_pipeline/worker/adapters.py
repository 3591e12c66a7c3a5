"""The store of a container's first process, of a function on Lambda and of its environment on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from genomics_pipeline.stores.routed import RoutedStore

_CREATING = Lock()  # boto3's session is not made for threads, in which the files of records are read

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def make_store(buckets: Mapping[str, Path]) -> RoutedStore:
    """Return the store of local files and S3.

    Args:
        buckets: The local folders that stand for buckets.
    """
    return RoutedStore(_s3, buckets)


def _s3() -> S3Client:
    import boto3

    from genomics_pipeline.stores.client_config import ROUTED_CONNECTIONS, create_client

    with _CREATING:
        client: S3Client = create_client(boto3.client, "s3", ROUTED_CONNECTIONS)
    return client
