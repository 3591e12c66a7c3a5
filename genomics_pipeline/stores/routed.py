"""One store over all: local files, buckets that are folders here, and S3."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import ObjectInfo, Store
from genomics_pipeline.stores.s3 import S3Store, split


class RoutedStore:
    """Sends each URI to the store it belongs to; a client for S3 is made only when one is needed.

    Args:
        buckets: Folder of each bucket that lies on this machine.
    """

    def __init__(self, buckets: dict[str, Path] | None = None) -> None:
        self._buckets = buckets or {}
        self._local = LocalStore(self._buckets)

    @cached_property
    def _s3(self) -> S3Store:
        import boto3

        return S3Store(boto3.client("s3"))

    def _of(self, uri: str) -> Store:
        scheme = uri.partition("://")[0] if "://" in uri else "file"
        if scheme == "s3":
            return self._local if split(uri)[0] in self._buckets else self._s3
        if scheme == "file":
            return self._local
        raise DataError(f"{uri}: expected a path or an s3:// URI, found {scheme}://")

    def stat(self, uri: str) -> ObjectInfo | None:
        """The object, None where there is none."""
        return self._of(uri).stat(uri)

    def open(self, uri: str) -> BinaryIO:
        """Its content as a stream."""
        return self._of(uri).open(uri)

    def read(self, uri: str) -> bytes:
        """Its whole content."""
        return self._of(uri).read(uri)

    def write(self, uri: str, data: bytes) -> None:
        """Put an object, in place of the one that was there."""
        self._of(uri).write(uri, data)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """The objects whose URIs begin with the prefix, in the order of their names."""
        return self._of(prefix).list(prefix)

    def fetch(self, uri: str, folder: Path) -> Path:
        """A local file with its content."""
        return self._of(uri).fetch(uri, folder)

    def publish(self, path: Path, uri: str) -> None:
        """Move a local file to be the object."""
        self._of(uri).publish(path, uri)

    def copy(self, source: str, target: str) -> None:
        """Put an object with the content of another."""
        here, there = self._of(source), self._of(target)
        if here is there:
            here.copy(source, target)
            return
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            with here.open(source) as content, copy.open("wb") as out:
                shutil.copyfileobj(content, out)
            there.publish(copy, target)

    def delete(self, uri: str) -> None:
        """Take an object away, if there is one."""
        self._of(uri).delete(uri)
