"""An empty bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def s3(aws: str) -> Iterator[S3Client]:
    """A client of it. The bucket `reads` is empty."""
    import boto3

    client = boto3.client("s3")
    client.create_bucket(Bucket="reads")
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="reads"):
        for found in page.get("Contents", ()):
            client.delete_object(Bucket="reads", Key=found["Key"])
    client.delete_bucket(Bucket="reads")
    client.close()
