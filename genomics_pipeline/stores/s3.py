"""Objects in S3; credentials, region and endpoint come from the standard AWS chain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.protocol import MissingBucket, MissingObject, ObjectInfo

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef, ObjectTypeDef


class S3Store:
    """``s3://bucket/key``.

    Args:
        client: boto3's client.
    """

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def stat(self, uri: str) -> ObjectInfo | None:
        """The object, None where there is none."""
        from botocore.exceptions import ClientError

        bucket, key = split(uri)
        try:
            found = self._client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NoSuchBucket"):
                return None
            raise
        return _info(uri, found["ContentLength"], found)

    def open(self, uri: str) -> BinaryIO:
        """Its content as a stream."""
        from smart_open import open as smart_open

        if self.stat(uri) is None:
            raise self._missing(uri)
        return smart_open(uri, "rb", compression="disable", transport_params={"client": self._client})

    def read(self, uri: str) -> bytes:
        """Its whole content."""
        with self.open(uri) as stream:
            return stream.read()

    def write(self, uri: str, data: bytes) -> None:
        """Put an object, in place of the one that was there."""
        bucket, key = split(uri)
        with _writing(uri):
            self._client.put_object(Bucket=bucket, Key=key, Body=data)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """The objects whose URIs begin with the prefix, in the order of their names."""
        from botocore.exceptions import BotoCoreError, ClientError

        bucket, key = split(prefix)
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
                for found in page.get("Contents", ()):
                    yield _info(f"s3://{bucket}/{found['Key']}", found["Size"], found)
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "NoSuchBucket":
                raise MissingBucket(prefix) from error
            raise DataError(f"{prefix}: expected a prefix that can be listed: {error}") from error

    def fetch(self, uri: str, folder: Path) -> Path:
        """A copy in the folder, by parallel ranges."""
        bucket, key = split(uri)
        if self.stat(uri) is None:
            raise self._missing(uri)
        path = folder / key.rsplit("/", 1)[-1]
        self._client.download_file(bucket, key, str(path))
        return path

    def publish(self, path: Path, uri: str) -> None:
        """Move a local file to be the object: uploaded by parts, visible when complete."""
        bucket, key = split(uri)
        with _writing(uri):
            self._client.upload_file(str(path), bucket, key)
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
        """Take an object away, if there is one."""
        bucket, key = split(uri)
        with _writing(uri):
            self._client.delete_object(Bucket=bucket, Key=key)

    def _missing(self, uri: str) -> MissingObject:
        """What a missing object lacks: itself, or its bucket; HEAD does not tell."""
        from botocore.exceptions import ClientError

        try:
            self._client.head_bucket(Bucket=split(uri)[0])
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchBucket"):
                return MissingBucket(uri)
        return MissingObject(uri)


@contextmanager
def _writing(uri: str) -> Iterator[None]:
    """Say in our words why an object cannot be put or taken away."""
    from boto3.exceptions import S3UploadFailedError
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError, S3UploadFailedError) as error:
        if "(NoSuchBucket)" in str(error):
            raise MissingBucket(uri) from error
        raise DataError(f"{uri}: expected an object that can be written: {error}") from error


def _info(uri: str, size_bytes: int, found: HeadObjectOutputTypeDef | ObjectTypeDef) -> ObjectInfo:
    modified = int(found["LastModified"].timestamp())
    return ObjectInfo(uri, size_bytes, found["ETag"].strip('"'), modified, found.get("StorageClass", "STANDARD"))


def split(uri: str) -> tuple[str, str]:
    """Bucket and key.

    >>> split("s3://reads/run-1/a_R1.fastq.gz")
    ('reads', 'run-1/a_R1.fastq.gz')
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
