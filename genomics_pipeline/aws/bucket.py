"""Writing to the stack's bucket, and deleting it."""

from __future__ import annotations

from collections.abc import Callable

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.quantity import quantity


def put_text(bucket: str, key: str, text: str, clients: Clients) -> None:
    """Write a JSON document to the bucket.

    Raises:
        RunError: if AWS refuses.
    """
    with aws_call(f"write s3://{bucket}/{key}"):
        clients.s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json")


def delete_bucket(bucket: str, clients: Clients, report: Callable[[int], None]) -> None:
    """Delete every version of every object, then the bucket. This cannot be undone.

    Args:
        bucket: Its name.
        clients: The AWS clients.
        report: Called with the number of versions deleted so far.

    Raises:
        RunError: if AWS refuses; what was deleted stays deleted.
    """
    deleted = 0
    with aws_call(f"delete the bucket {bucket}"):
        for page in clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if not versions:
                continue
            objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
            answer = clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item]
            if errors := answer.get("Errors"):
                first = errors[0]
                raise RunError(
                    f"cannot delete {quantity(len(errors), 'object')} of s3://{bucket}, "
                    f"such as {first['Key']}: {first['Message']}"
                )
            deleted += len(versions)
            report(deleted)
        clients.s3.delete_bucket(Bucket=bucket)
