"""Errors of S3 as errors of this package; one for lack of a right says which right is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genomics_pipeline.model.access import MissingRight, denied_call
from genomics_pipeline.stores.protocol import DeniedAccess, TransferFailed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DENIED_HEAD = "403"  # the code of HEAD, whose answer has no body, and so no message


def transfer_error(uri: str, expected: str, error: BaseException) -> TransferFailed:
    """Return the error of an object or a prefix that S3 does not transfer.

    Args:
        uri: The URI.
        expected: What was expected of it.
        error: The error of boto3 or of a library that uses it.
    """
    right = missing_right(uri, error)
    return DeniedAccess(uri, right) if right else TransferFailed(uri, f"expected {expected}: {error}")


def missing_right(uri: str, error: BaseException) -> MissingRight | None:
    """Return the right that a call to S3 lacked; None for an error of another kind.

    Args:
        uri: The URI of the object or prefix.
        error: The error.
    """
    from botocore.exceptions import ClientError

    refused = getattr(error, "backend_error", error)  # of smart_open
    if not isinstance(refused, ClientError):
        return None
    details = refused.response.get("Error", {})
    return denied_call("s3", refused.operation_name, details.get("Code", ""), details.get("Message", ""), uri)


def with_reason(error: Exception, client: S3Client, bucket: str, key: str) -> Exception:
    """Return the error of HEAD, or where it has no message, that of reading the object's first byte.

    Args:
        error: The error of HEAD.
        client: A boto3 client.
        bucket: The bucket.
        key: The key of the object.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    if not isinstance(error, ClientError) or error.response["Error"]["Code"] != DENIED_HEAD:
        return error
    try:
        client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")["Body"].close()
    except ClientError as reason:
        return reason if missing_right("", reason) else error
    except BotoCoreError:
        return error
    return error
