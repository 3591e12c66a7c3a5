"""The store of objects in S3; credentials, region and endpoint come from the standard AWS chain."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from genomics_pipeline.model import budgets
from genomics_pipeline.model.plain_path import file_name
from genomics_pipeline.model.s3_uri import split_object, split_prefix
from genomics_pipeline.model.task import INTERMEDIATE_TAG
from genomics_pipeline.stores.access import transfer_error, with_reason
from genomics_pipeline.stores.checksum import object_checksum, sha256_checksum
from genomics_pipeline.stores.new_file import new_file
from genomics_pipeline.stores.protocol import (
    ANY,
    ChangedObject,
    Expected,
    MissingBucket,
    MissingObject,
    ObjectInfo,
    ObjectPart,
    OversizedObject,
    Publication,
    Sink,
    TransferFailed,
)
from genomics_pipeline.stores.s3_part import read_part
from genomics_pipeline.stores.transfer import ATTEMPTS, CHECKSUM, STREAM, WHOLE, Source, Window, download, upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef, ObjectTypeDef

# Error codes of a conditional write to an object that exists, or that another request is writing; S3 user guide,
# "How to prevent object overwrites with conditional writes".
TAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
NOTHING = ("404", "NoSuchKey", "NoSuchBucket")  # error codes of a missing object


class S3Store:
    """The store of ``s3://bucket/key``.

    Args:
        client: A boto3 client.
    """

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def stat(self, uri: str) -> ObjectInfo | None:
        """Return the object without its content; None if there is none."""
        head = self._head(uri)
        return head and _info(uri, head["ContentLength"], head)

    def _head(self, uri: str, **options: Any) -> HeadObjectOutputTypeDef | None:
        from botocore.exceptions import BotoCoreError, ClientError

        bucket, key = split_object(uri)
        try:
            return self._client.head_object(Bucket=bucket, Key=key, **options)
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in NOTHING:
                return None
            raise transfer_error(
                uri, "an object that can be read", with_reason(error, self._client, bucket, key)
            ) from error

    def open(self, uri: str) -> BinaryIO:
        """Open an object's content as a stream."""
        from smart_open import open as smart_open

        if self.stat(uri) is None:
            raise self._missing(uri)
        try:
            return smart_open(uri, "rb", compression="disable", transport_params={"client": self._client})
        except OSError as error:
            raise transfer_error(uri, "an object that can be read", error) from error

    def read(self, uri: str) -> bytes:
        """Return an object's whole content by one request; botocore verifies S3's checksum of it."""
        from botocore.exceptions import BotoCoreError, ClientError
        from s3transfer.utils import S3_RETRYABLE_DOWNLOAD_ERRORS

        bucket, key = split_object(uri)
        problem = ""
        for _ in range(ATTEMPTS):
            try:
                answer = self._client.get_object(Bucket=bucket, Key=key)
                if answer["ContentLength"] > budgets.RECORD_SIZE.value:
                    raise OversizedObject(uri, budgets.RECORD_SIZE)
                return answer["Body"].read()
            except S3_RETRYABLE_DOWNLOAD_ERRORS as error:
                problem = str(error)
            except (BotoCoreError, ClientError) as error:
                if isinstance(error, ClientError) and error.response["Error"]["Code"] in NOTHING:
                    raise self._missing(uri) from None
                raise transfer_error(uri, "an object that can be read", error) from error
        raise TransferFailed(uri, f"expected an object that can be read, found it interrupted: {problem}")

    def read_part(self, uri: str, start: int, size_bytes: int, version: str | None = None) -> ObjectPart:
        """Return a part of an object's content by one request."""
        return read_part(self._client, uri, start, size_bytes, version)

    def create(self, uri: str, data: bytes) -> bool:
        """Write an object unless there is one, by a conditional request, and return whether it was written."""
        from botocore.exceptions import ClientError

        bucket, key = split_object(uri)
        with _translate_write_errors(uri):
            try:
                self._client.put_object(Bucket=bucket, Key=key, Body=data, ChecksumAlgorithm=CHECKSUM, IfNoneMatch="*")
            except ClientError as error:
                if error.response["Error"]["Code"] not in TAKEN:
                    raise
                return False
        return True

    def write(self, uri: str, data: bytes) -> None:
        """Write an object, in place of the one that was there."""
        bucket, key = split_object(uri)
        with _translate_write_errors(uri):
            self._client.put_object(Bucket=bucket, Key=key, Body=data, ChecksumAlgorithm=CHECKSUM)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose URIs begin with the prefix, in the order of their names."""
        from botocore.exceptions import BotoCoreError, ClientError

        bucket, key = split_prefix(prefix)
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
                for entry in page.get("Contents", ()):
                    yield _info(f"s3://{bucket}/{entry['Key']}", entry["Size"], entry)
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "NoSuchBucket":
                raise MissingBucket(prefix) from error
            raise transfer_error(prefix, "a prefix that can be listed", error) from error

    def local(self, uri: str) -> Path | None:
        """Return None: no object is on this machine."""
        return None

    def fetch(self, uri: str, folder: Path, expected: Expected = ANY, cancelled: threading.Event | None = None) -> Path:
        """Return a copy in the folder, read in parallel ranges."""
        path = folder / file_name(uri)
        with new_file(path) as out:
            self._download(uri, out, expected, cancelled, WHOLE)
        return path

    def download(
        self, uri: str, sink: Sink, expected: Expected = ANY, cancelled: threading.Event | None = None
    ) -> None:
        """Transfer an object's content into a sink, in parallel ranges that are written in order."""
        self._download(uri, sink, expected, cancelled, STREAM)

    def _download(
        self, uri: str, sink: Sink, expected: Expected, cancelled: threading.Event | None, window: Window
    ) -> None:
        head = self._head(uri, ChecksumMode="ENABLED")
        if head is None:
            raise self._missing(uri)
        if expected.version not in (None, version := _version(head["ETag"])):
            message = f"expected the version {expected.version}, found {version}: it was changed in the meantime"
            raise ChangedObject(uri, message)
        check = sha256_checksum(expected.sha256) if expected.sha256 else object_checksum(head)
        source = Source(uri, *split_object(uri), head["ContentLength"], head["ETag"])
        download(self._client, source, sink, check, cancelled, window)

    def publish(
        self, path: Path, uri: str, cancelled: threading.Event | None = None, intermediate: bool = False
    ) -> None:
        """Move a local file to an object: upload it in parts, then delete it."""
        with _translate_write_errors(uri):
            tags = {"Tagging": "=".join(INTERMEDIATE_TAG)} if intermediate else {}
            upload(self._client, path, uri, split_object(uri), tags, cancelled)
        path.unlink()

    def publish_all(self, files: Sequence[Publication]) -> None:
        """Move local files to objects, in this order."""
        for file in files:
            self.publish(file.path, file.uri, file.cancelled, file.intermediate)

    def copy(self, source: str, target: str) -> None:
        """Copy an object within S3, in parts if it is large."""
        from_bucket, from_key = split_object(source)
        bucket, key = split_object(target)
        if self.stat(source) is None:
            raise self._missing(source)
        with _translate_write_errors(target):
            self._client.copy({"Bucket": from_bucket, "Key": from_key}, bucket, key)

    def delete(self, uri: str) -> None:
        """Delete an object, if there is one."""
        bucket, key = split_object(uri)
        with _translate_write_errors(uri):
            self._client.delete_object(Bucket=bucket, Key=key)

    def _missing(self, uri: str) -> MissingObject:
        """Return the error of a missing object or of a missing bucket, which HeadObject does not tell apart."""
        from botocore.exceptions import ClientError

        try:
            self._client.head_bucket(Bucket=split_object(uri)[0])
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchBucket"):
                return MissingBucket(uri)
        return MissingObject(uri)


@contextmanager
def _translate_write_errors(uri: str) -> Iterator[None]:
    """Turn the errors of botocore into those of this package, for an object that cannot be written."""
    from awscrt.exceptions import AwsCrtError
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (AwsCrtError, BotoCoreError, ClientError, Boto3Error) as error:
        if "(NoSuchBucket)" in str(error):
            raise MissingBucket(uri) from error
        raise transfer_error(uri, "an object that can be written", error) from error


def _info(uri: str, size_bytes: int, entry: HeadObjectOutputTypeDef | ObjectTypeDef) -> ObjectInfo:
    modified = int(entry["LastModified"].timestamp())
    return ObjectInfo(uri, size_bytes, _version(entry["ETag"]), modified, entry.get("StorageClass", "STANDARD"))


def _version(etag: str) -> str:
    return etag.strip('"')
