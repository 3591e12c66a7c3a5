"""The properties of objects in S3 that are known without reading them."""

from __future__ import annotations

from dataclasses import dataclass

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.aws.patience import retry_throttled
from genomics_pipeline.model.access import MissingRight
from genomics_pipeline.model.s3_uri import split_object
from genomics_pipeline.stores.access import missing_right, with_reason
from genomics_pipeline.stores.s3 import NOTHING

ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")
RESTORED = 'ongoing-request="false"'


@dataclass(frozen=True, slots=True)
class Head:
    """The properties of one S3 object.

    Attributes:
        size_bytes: Its size.
        missing: The right that is missing; the object may not exist.
        archive: The storage class that it must be restored from before it can be read; None for none.
        version: Its ETag.
    """

    size_bytes: int
    missing: MissingRight | None = None
    archive: str | None = None
    version: str = ""


def head(uri: str, clients: Clients) -> Head | None:
    """Return the properties of an object; None if there is no such object.

    Raises:
        RunError: if the call fails.
    """
    from botocore.exceptions import ClientError

    bucket, key = split_object(uri)
    with aws_call(f"read the metadata of {uri}"):
        try:
            answer = retry_throttled(lambda: clients.s3.head_object(Bucket=bucket, Key=key))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in NOTHING:
                return None
            if right := missing_right(uri, with_reason(error, clients.s3, bucket, key)):
                return Head(0, missing=right)
            raise
    archive = answer.get("ArchiveStatus") or answer.get("StorageClass")
    kept = archive if answer.get("ArchiveStatus") or archive in ARCHIVES else None
    is_restored = RESTORED in answer.get("Restore", "")
    return Head(answer["ContentLength"], archive=None if is_restored else kept, version=answer["ETag"])


def bucket_region(bucket: str, clients: Clients) -> str | None:
    """Return the Region of a bucket; None if it is missing or access is denied.

    Raises:
        RunError: if the call fails.
    """
    from botocore.exceptions import ClientError

    with aws_call(f"find the bucket {bucket}"):
        try:
            answer = clients.s3.head_bucket(Bucket=bucket)
        except ClientError:  # missing or forbidden: reported for its objects
            return None
    return answer.get("BucketRegion") or answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
