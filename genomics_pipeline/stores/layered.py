"""A store that keeps what is written of one prefix in a folder, above objects that stay as they are."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from genomics_pipeline.model.errors import RunError
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import (
    ANY,
    Expected,
    MissingObject,
    ObjectInfo,
    ObjectPart,
    Publication,
    Sink,
    Store,
)

_DELETED = "deleted"  # the folder of the marks of what is not seen any more
LAYER_VARIABLE = "GENOMICS_PIPELINE_LAYER"  # of a container of a replay: what `layer_text` returns


def layer_text(prefix: str, folder: Path) -> str:
    """Return the prefix and the folder of a layer as the value of `LAYER_VARIABLE`.

    >>> layer_text("s3://RUN/", Path("/replay/run"))
    '/replay/run s3://RUN/'
    """
    return f"{folder} {prefix}"


def with_layer(store: Store, text: str | None, inner: str) -> Store:
    """Return a store with the layer that `layer_text` described above it, if there is one.

    Args:
        store: The store.
        text: The value of `LAYER_VARIABLE`; None for no layer.
        inner: See `LayeredStore`.
    """
    if not text:
        return store
    folder, _, prefix = text.rpartition(" ")
    return LayeredStore(store, prefix, Path(folder), inner)


class _Layer(LocalStore):
    """The objects of one prefix in a folder, by the URIs that they have below the prefix."""

    def __init__(self, prefix: str, folder: Path) -> None:
        self._bucket = prefix.split("/", 3)[2]
        self._prefix = prefix
        super().__init__({self._bucket: folder})

    def path(self, uri: str) -> Path:
        """Return the file of an object."""
        return super().path(f"s3://{self._bucket}/{uri.removeprefix(self._prefix)}")


class LayeredStore(Store):
    """A store of objects below a prefix: what is written there is in a folder, and hides the object below it.

    Objects of other prefixes are read only. An object that is deleted stays where it was, but is not seen any more.

    Args:
        below: The store of the objects as they are, which is never written to.
        prefix: The URI of the prefix in a bucket, which ends in a slash.
        folder: The folder of what is written.
        inner: Keys below the prefix that begin with this are in the folder only.
    """

    def __init__(self, below: Store, prefix: str, folder: Path, inner: str) -> None:
        self._below = below
        self._prefix = prefix
        self._layer = _Layer(prefix, folder)
        self._inner = f"{prefix}{inner}"
        self._marks = f"{self._inner}{_DELETED}/"
        self._deleted = {info.uri for info in self._layer.list(self._marks)}

    def _is_in_layer(self, uri: str) -> bool:
        """Return whether an object is one of the folder's."""
        if not uri.startswith(self._prefix):
            return False
        return uri.startswith(self._inner) or self._layer.stat(uri) is not None

    def _own(self, uri: str) -> str:
        """Return the URI of an object that is to be written.

        Raises:
            RunError: for one of another prefix.
        """
        if not uri.startswith(self._prefix):
            raise RunError(f"{uri}: expected a file below {self._prefix}, since nothing else is written here")
        return uri

    def _store(self, uri: str) -> Store:
        """Return the store of an object that is read.

        Raises:
            MissingObject: if it was deleted.
        """
        if self._is_in_layer(uri):
            return self._layer
        if self._mark(uri) in self._deleted:
            raise MissingObject(uri)
        return self._below

    def stat(self, uri: str) -> ObjectInfo | None:
        """Return the object without its content; None if there is none."""
        try:
            return self._store(uri).stat(uri)
        except MissingObject:
            return None

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
        return self.stat(uri) is None and self._layer.create(self._own(uri), data)

    def write(self, uri: str, data: bytes) -> None:
        """Write an object, in place of the one that was there."""
        self._layer.write(self._own(uri), data)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose URIs begin with the prefix, in the order of their names."""
        below = (info for info in self._below.list(prefix) if not info.uri.startswith(self._inner))
        found = {info.uri: info for info in below if self._mark(info.uri) not in self._deleted}
        if prefix.startswith(self._prefix):
            found |= {info.uri: info for info in self._layer.list(prefix) if not info.uri.startswith(self._marks)}
        yield from (found[uri] for uri in sorted(found))

    def local(self, uri: str) -> Path | None:
        """Return an object's path on this machine; None if it is stored elsewhere."""
        if self._is_in_layer(uri):
            return self._layer.local(uri)
        path = self._below.local(uri)
        is_free = path is not None and (self._mark(uri) in self._deleted or not path.exists())
        return self._layer.local(uri) if is_free and uri.startswith(self._prefix) else path

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
        self._layer.publish(path, self._own(uri), cancelled, intermediate)

    def publish_all(self, files: Sequence[Publication]) -> None:
        """Move local files to objects, in this order."""
        for file in files:
            self._own(file.uri)
        self._layer.publish_all(files)

    def copy(self, source: str, target: str) -> None:
        """Copy an object."""
        with self.open(source) as content:
            self._layer.write(self._own(target), content.read())

    def delete(self, uri: str) -> None:
        """Delete an object, if there is one; one below the folder is not seen any more."""
        self._layer.delete(self._own(uri))
        if self._below.stat(uri) is not None:
            self._layer.write(self._mark(uri), b"")
            self._deleted.add(self._mark(uri))

    def _mark(self, uri: str) -> str:
        """Return the object in the folder that says that another one is not seen any more, in other processes too."""
        return f"{self._marks}{sha256(uri.encode()).hexdigest()}"
