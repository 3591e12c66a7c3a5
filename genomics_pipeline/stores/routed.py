"""The store of all URIs: local files, buckets that are local folders, S3, and web servers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO, Self

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.s3_uri import split_prefix
from genomics_pipeline.model.secrets import REFUSAL, has_password, without_password
from genomics_pipeline.model.web_uri import is_web
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import ANY, Expected, ObjectInfo, ObjectPart, Publication, Sink, Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from genomics_pipeline.stores.s3 import S3Store
    from genomics_pipeline.stores.web_store import WebStore


class RoutedStore:
    """A store that forwards each call to the store of its URI.

    Args:
        s3: A function that makes the client of S3; called once, for the first object in S3.
        buckets: The folder of each bucket that is a local folder.
    """

    def __init__(self, s3: Callable[[], S3Client], buckets: Mapping[str, Path] | None = None) -> None:
        self._client = s3
        self._buckets = dict(buckets or {})
        self._local = LocalStore(self._buckets)

    def with_buckets(self, buckets: Mapping[str, Path]) -> Self:
        """Return a store that also has these buckets, which are folders of this machine."""
        return type(self)(self._client, {**self._buckets, **buckets})

    @cached_property
    def _s3(self) -> S3Store:
        from genomics_pipeline.stores.s3 import S3Store  # here and below, since most runs on one machine need neither

        return S3Store(self._client())

    @cached_property
    def _web(self) -> WebStore:
        from genomics_pipeline.stores.web_store import WebStore

        return WebStore()

    def _store(self, uri: str) -> Store:
        if has_password(uri):
            raise DataError(f"{without_password(uri)}: {REFUSAL}")
        scheme = uri.partition("://")[0] if "://" in uri else "file"
        if scheme == "s3":
            return self._local if split_prefix(uri)[0] in self._buckets else self._s3
        if scheme == "file":
            return self._local
        if is_web(uri):
            return self._web
        raise DataError(f"{uri}: expected a path, an s3:// URI or an https:// URL, found {scheme}://")

    def stat(self, uri: str) -> ObjectInfo | None:
        """Return the object without its content; None if there is none."""
        return self._store(uri).stat(uri)

    def open(self, uri: str) -> BinaryIO:
        """Open an object's content as a stream."""
        return self._store(uri).open(uri)

    def read(self, uri: str) -> bytes:
        """Return an object's whole content."""
        return self._store(uri).read(uri)

    def read_part(self, uri: str, start: int, size_bytes: int, version: str | None = None) -> ObjectPart:
        """Return a part of an object's content."""
        return self._store(uri).read_part(uri, start, size_bytes, version)

    def create(self, uri: str, data: bytes) -> bool:
        """Write an object unless there is one, and return whether it was written."""
        return self._store(uri).create(uri, data)

    def write(self, uri: str, data: bytes) -> None:
        """Write an object, in place of the one that was there."""
        self._store(uri).write(uri, data)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose URIs begin with the prefix, in the order of their names."""
        return self._store(prefix).list(prefix)

    def local(self, uri: str) -> Path | None:
        """Return an object's path on this machine; None if it is stored elsewhere."""
        return self._store(uri).local(uri)

    def fetch(self, uri: str, folder: Path, expected: Expected = ANY, cancelled: threading.Event | None = None) -> Path:
        """Return a local file with an object's content."""
        return self._store(uri).fetch(uri, folder, expected, cancelled)

    def download(
        self, uri: str, sink: Sink, expected: Expected = ANY, cancelled: threading.Event | None = None
    ) -> None:
        """Transfer an object's content into a sink."""
        self._store(uri).download(uri, sink, expected, cancelled)

    def publish(
        self, path: Path, uri: str, cancelled: threading.Event | None = None, intermediate: bool = False
    ) -> None:
        """Move a local file to an object."""
        self._store(uri).publish(path, uri, cancelled, intermediate)

    def publish_all(self, files: Sequence[Publication]) -> None:
        """Move local files to objects, in this order."""
        for store, group in groupby(files, lambda file: self._store(file.uri)):
            store.publish_all(list(group))

    def copy(self, source: str, target: str) -> None:
        """Copy an object."""
        origin, destination = self._store(source), self._store(target)
        if origin is destination:
            origin.copy(source, target)
            return
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            with copy.open("wb") as out:
                origin.download(source, out)
            destination.publish(copy, target)

    def delete(self, uri: str) -> None:
        """Delete an object, if there is one."""
        self._store(uri).delete(uri)
