"""A part of one version of an object in S3, by one request: GetObject with Range and If-Match (S3 API reference)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from genomics_pipeline.model.s3_uri import split_object
from genomics_pipeline.stores.access import transfer_error
from genomics_pipeline.stores.protocol import ChangedObject, MissingObject, ObjectPart, TransferFailed
from genomics_pipeline.stores.transfer import ATTEMPTS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_RANGE = re.compile(r"bytes \d+-\d+/(?P<size>\d+)")
_MISSING = ("404", "NoSuchKey", "NoSuchBucket")
_OTHER_VERSION = ("412", "PreconditionFailed")
_BEYOND_END = ("416", "InvalidRange")


def read_part(client: S3Client, uri: str, start: int, size_bytes: int, version: str | None) -> ObjectPart:
    """Return a part of an object's content; see `Store.read_part`.

    Args:
        client: A boto3 client.
        uri: The object.
        start: The place of the part's first byte, from 0.
        size_bytes: The size of the part.
        version: The ETag that the object must have, without quotes; None for any.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from s3transfer.utils import S3_RETRYABLE_DOWNLOAD_ERRORS

    bucket, key = split_object(uri)
    only = {} if version is None else {"IfMatch": f'"{version}"'}
    problem = ""
    for _ in range(ATTEMPTS):
        try:
            part = f"bytes={start}-{start + size_bytes - 1}"
            answer = client.get_object(Bucket=bucket, Key=key, Range=part, **only)  # type: ignore[arg-type]
            sizes = _RANGE.fullmatch(answer.get("ContentRange", ""))
            if sizes is None:
                raise TransferFailed(uri, f"expected a part of the object ({part}), found an answer without a range")
            return ObjectPart(answer["Body"].read(), int(sizes["size"]))
        except S3_RETRYABLE_DOWNLOAD_ERRORS as error:
            problem = str(error)
        except (BotoCoreError, ClientError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
            if code in _MISSING:
                raise MissingObject(uri) from None
            if code in _OTHER_VERSION:
                message = f"expected the version {version}, found another: it was changed in the meantime"
                raise ChangedObject(uri, message) from None
            if code in _BEYOND_END:
                raise TransferFailed(uri, f"expected an object of more than {start} bytes, found fewer") from None
            raise transfer_error(uri, "an object that can be read", error) from error
    raise TransferFailed(uri, f"expected an object that can be read, found it interrupted: {problem}")
