"""The store over all others: local files, buckets that are local folders, and S3."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO, Self

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import ANY, Expected, ObjectInfo, Sink, Store
from genomics_pipeline.stores.s3 import S3Store, split

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class RoutedStore:
    """A store that passes each URI on to the store that it belongs to.

    Args:
        s3: Makes the client for S3; called once, when the first object in S3 is needed.
        buckets: The folder of each bucket that lies on this machine.
    """

    def __init__(self, s3: Callable[[], S3Client], buckets: Mapping[str, Path] | None = None) -> None:
        self._client = s3
        self._buckets = dict(buckets or {})
        self._local = LocalStore(self._buckets)

    def with_buckets(self, buckets: Mapping[str, Path]) -> Self:
        """Return a store over the same files and these buckets, which lie in folders of this machine."""
        return type(self)(self._client, {**self._buckets, **buckets})

    @cached_property
    def _s3(self) -> S3Store:
        return S3Store(self._client())

    def _of(self, uri: str) -> Store:
        scheme = uri.partition("://")[0] if "://" in uri else "file"
        if scheme == "s3":
            return self._local if split(uri)[0] in self._buckets else self._s3
        if scheme == "file":
            return self._local
        raise DataError(f"{uri}: expected a path or an s3:// URI, found {scheme}://")

    def stat(self, uri: str) -> ObjectInfo | None:
        """Return the object without its content; None where there is none."""
        return self._of(uri).stat(uri)

    def open(self, uri: str) -> BinaryIO:
        """Open an object's content as a stream."""
        return self._of(uri).open(uri)

    def read(self, uri: str) -> bytes:
        """Return an object's whole content."""
        return self._of(uri).read(uri)

    def write(self, uri: str, data: bytes) -> None:
        """Write an object, in place of the one that was there."""
        self._of(uri).write(uri, data)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose URIs begin with the prefix, in the order of their names."""
        return self._of(prefix).list(prefix)

    def local(self, uri: str) -> Path | None:
        """Return an object's path on this machine; None if it does not lie on it."""
        return self._of(uri).local(uri)

    def fetch(self, uri: str, folder: Path, expected: Expected = ANY, cancelled: threading.Event | None = None) -> Path:
        """Return a local file with an object's content."""
        return self._of(uri).fetch(uri, folder, expected, cancelled)

    def download(
        self, uri: str, sink: Sink, expected: Expected = ANY, cancelled: threading.Event | None = None
    ) -> None:
        """Transfer an object's content into a sink."""
        self._of(uri).download(uri, sink, expected, cancelled)

    def publish(
        self, path: Path, uri: str, cancelled: threading.Event | None = None, intermediate: bool = False
    ) -> None:
        """Move a local file to be the object."""
        self._of(uri).publish(path, uri, cancelled, intermediate)

    def copy(self, source: str, target: str) -> None:
        """Write an object with the content of another."""
        here, there = self._of(source), self._of(target)
        if here is there:
            here.copy(source, target)
            return
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            with copy.open("wb") as out:
                here.download(source, out)
            there.publish(copy, target)

    def delete(self, uri: str) -> None:
        """Delete an object, if there is one."""
        self._of(uri).delete(uri)
