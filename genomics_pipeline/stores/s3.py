"""The store of objects in S3; credentials, region and endpoint come from the standard AWS chain."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from genomics_pipeline.model.task import INTERMEDIATE_TAG
from genomics_pipeline.stores import checksum
from genomics_pipeline.stores.protocol import (
    ANY,
    Expected,
    MissingBucket,
    MissingObject,
    ObjectInfo,
    Sink,
    TransferFailed,
)
from genomics_pipeline.stores.transfer import ATTEMPTS, CHECKSUM, STREAM, WHOLE, Source, Window, download, upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef, ObjectTypeDef

NOTHING = ("404", "NoSuchKey", "NoSuchBucket")  # codes of an object that is not there


class S3Store:
    """The store of ``s3://bucket/key``.

    Args:
        client: A client of boto3.
    """

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def stat(self, uri: str) -> ObjectInfo | None:
        """Return the object without its content; None where there is none."""
        found = self._head(uri)
        return found and _info(uri, found["ContentLength"], found)

    def _head(self, uri: str, **asked: Any) -> HeadObjectOutputTypeDef | None:
        from botocore.exceptions import BotoCoreError, ClientError

        bucket, key = split(uri)
        try:
            return self._client.head_object(Bucket=bucket, Key=key, **asked)
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in NOTHING:
                return None
            raise TransferFailed(uri, f"expected an object that can be read: {error}") from error

    def open(self, uri: str) -> BinaryIO:
        """Open an object's content as a stream."""
        from smart_open import open as smart_open

        if self.stat(uri) is None:
            raise self._missing(uri)
        return smart_open(uri, "rb", compression="disable", transport_params={"client": self._client})

    def read(self, uri: str) -> bytes:
        """Return an object's whole content, by one request: botocore compares it with the checksum that S3 has."""
        from botocore.exceptions import BotoCoreError, ClientError
        from s3transfer.utils import S3_RETRYABLE_DOWNLOAD_ERRORS

        bucket, key = split(uri)
        broken = ""
        for _ in range(ATTEMPTS):
            try:
                return self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
            except S3_RETRYABLE_DOWNLOAD_ERRORS as error:
                broken = str(error)
            except (BotoCoreError, ClientError) as error:
                if isinstance(error, ClientError) and error.response["Error"]["Code"] in NOTHING:
                    raise self._missing(uri) from None
                raise TransferFailed(uri, f"expected an object that can be read: {error}") from error
        raise TransferFailed(uri, f"expected an object that can be read, found it broken off: {broken}")

    def write(self, uri: str, data: bytes) -> None:
        """Write an object, in place of the one that was there."""
        bucket, key = split(uri)
        with _writing(uri):
            self._client.put_object(Bucket=bucket, Key=key, Body=data, ChecksumAlgorithm=CHECKSUM)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose URIs begin with the prefix, in the order of their names."""
        from botocore.exceptions import BotoCoreError, ClientError

        bucket, key = split(prefix)
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
                for found in page.get("Contents", ()):
                    yield _info(f"s3://{bucket}/{found['Key']}", found["Size"], found)
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "NoSuchBucket":
                raise MissingBucket(prefix) from error
            raise TransferFailed(prefix, f"expected a prefix that can be listed: {error}") from error

    def local(self, uri: str) -> Path | None:
        """Return None: no object lies on this machine."""
        return None

    def fetch(self, uri: str, folder: Path, expected: Expected = ANY, cancelled: threading.Event | None = None) -> Path:
        """Return a copy in the folder, read by parallel ranges."""
        path = folder / split(uri)[1].rsplit("/", 1)[-1]
        try:
            with path.open("wb") as out:
                self._download(uri, out, expected, cancelled, WHOLE)
        except BaseException:
            path.unlink()
            raise
        return path

    def download(
        self, uri: str, sink: Sink, expected: Expected = ANY, cancelled: threading.Event | None = None
    ) -> None:
        """Transfer an object's content into a sink, by parallel ranges that are put in order."""
        self._download(uri, sink, expected, cancelled, STREAM)

    def _download(
        self, uri: str, sink: Sink, expected: Expected, cancelled: threading.Event | None, window: Window
    ) -> None:
        head = self._head(uri, ChecksumMode="ENABLED")
        if head is None:
            raise self._missing(uri)
        if expected.version not in (None, found := _version(head["ETag"])):
            message = f"expected the version {expected.version}, found {found}: it was changed in the meantime"
            raise TransferFailed(uri, message)
        check = checksum.of_sha256(expected.sha256) if expected.sha256 else checksum.of_object(head)
        source = Source(uri, *split(uri), head["ContentLength"], head["ETag"])
        download(self._client, source, sink, check, cancelled, window)

    def publish(
        self, path: Path, uri: str, cancelled: threading.Event | None = None, intermediate: bool = False
    ) -> None:
        """Move a local file to be the object: uploaded by parts, visible when complete."""
        with _writing(uri):
            tags = {"Tagging": "=".join(INTERMEDIATE_TAG)} if intermediate else {}
            upload(self._client, path, uri, split(uri), tags, cancelled)
        path.unlink()

    def copy(self, source: str, target: str) -> None:
        """Put an object with the content of another, by parts where it is large; S3 moves the bytes."""
        from_bucket, from_key = split(source)
        bucket, key = split(target)
        if self.stat(source) is None:
            raise self._missing(source)
        with _writing(target):
            self._client.copy({"Bucket": from_bucket, "Key": from_key}, bucket, key)

    def delete(self, uri: str) -> None:
        """Delete an object, if there is one."""
        bucket, key = split(uri)
        with _writing(uri):
            self._client.delete_object(Bucket=bucket, Key=key)

    def _missing(self, uri: str) -> MissingObject:
        """Return the error of a missing object or of a missing bucket, which HEAD does not tell apart."""
        from botocore.exceptions import ClientError

        try:
            self._client.head_bucket(Bucket=split(uri)[0])
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchBucket"):
                return MissingBucket(uri)
        return MissingObject(uri)


@contextmanager
def _writing(uri: str) -> Iterator[None]:
    """Raise the errors of this package for those of botocore when an object cannot be written."""
    from awscrt.exceptions import AwsCrtError
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (AwsCrtError, BotoCoreError, ClientError, Boto3Error) as error:
        if "(NoSuchBucket)" in str(error):
            raise MissingBucket(uri) from error
        raise TransferFailed(uri, f"expected an object that can be written: {error}") from error


def _info(uri: str, size_bytes: int, found: HeadObjectOutputTypeDef | ObjectTypeDef) -> ObjectInfo:
    modified = int(found["LastModified"].timestamp())
    return ObjectInfo(uri, size_bytes, _version(found["ETag"]), modified, found.get("StorageClass", "STANDARD"))


def _version(etag: str) -> str:
    return etag.strip('"')


def split(uri: str) -> tuple[str, str]:
    """Return the bucket and the key of a URI.

    >>> split("s3://reads/run-1/a_R1.fastq.gz")
    ('reads', 'run-1/a_R1.fastq.gz')
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
