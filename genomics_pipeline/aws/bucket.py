"""The stack's bucket, where it is written by us and where it is done away with."""

from __future__ import annotations

from collections.abc import Callable

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.model.errors import RunError


def put_text(bucket: str, key: str, text: str, clients: Clients) -> None:
    """Write a JSON document.

    Raises:
        RunError: if AWS refuses.
    """
    with aws_call(f"write s3://{bucket}/{key}"):
        clients.s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json")


def delete_bucket(bucket: str, clients: Clients, said: Callable[[int], None]) -> None:
    """Delete every version of every object, then the bucket. There is no way back.

    Args:
        bucket: Its name.
        clients: AWS.
        said: Is told how many versions are deleted so far.

    Raises:
        RunError: if AWS refuses; what was deleted stays so.
    """
    deleted = 0
    with aws_call(f"delete the bucket {bucket}"):
        for page in clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if not versions:
                continue
            objects = [{"Key": found["Key"], "VersionId": found["VersionId"]} for found in versions]
            answer = clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item]
            if errors := answer.get("Errors"):
                first = errors[0]
                raise RunError(
                    f"cannot delete {len(errors)} objects of s3://{bucket}, such as {first['Key']}: {first['Message']}"
                )
            deleted += len(versions)
            said(deleted)
        clients.s3.delete_bucket(Bucket=bucket)
