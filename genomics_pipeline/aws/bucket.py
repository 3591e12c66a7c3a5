"""Writing to the stack's bucket, and deleting it."""

from __future__ import annotations

from collections.abc import Callable

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.aws.objects_below import delete_batch, objects_below


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
    for batch in objects_below(bucket, "", versions=True, clients=clients):
        delete_batch(bucket, batch, clients)
        deleted += len(batch.objects)
        report(deleted)
    with aws_call(f"delete the bucket {bucket}"):
        clients.s3.delete_bucket(Bucket=bucket)
