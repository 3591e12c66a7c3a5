"""A store in memory, for tests that need no files; tests/stores checks it like all other stores."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from hashlib import md5
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from genomics_pipeline.model import budgets
from genomics_pipeline.stores.protocol import (
    ANY,
    ChangedObject,
    Expected,
    MissingObject,
    ObjectInfo,
    ObjectPart,
    OversizedObject,
    Publication,
    Sink,
    TransferFailed,
    TransferStopped,
)

UNKNOWN_TIME = 1_000_000_000  # of objects that a test adds to `objects` itself


class MemoryStore:
    """A store in which every bucket exists.

    Attributes:
        objects: Contents by URI.
        written: The URIs that were written, in order.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.written: list[str] = []
        self._times: dict[str, int] = {}
        self._creating = threading.Lock()

    def stat(self, uri: str) -> ObjectInfo | None:
        data = self.objects.get(uri)
        if data is None:
            return None
        return ObjectInfo(uri, len(data), md5(data).hexdigest(), self._times.get(uri, UNKNOWN_TIME))

    def open(self, uri: str) -> BinaryIO:
        return BytesIO(self.read(uri))

    def read(self, uri: str) -> bytes:
        if uri not in self.objects:
            raise MissingObject(uri)
        if len(self.objects[uri]) > budgets.RECORD_SIZE.value:
            raise OversizedObject(uri, budgets.RECORD_SIZE)
        return self.objects[uri]

    def read_part(self, uri: str, start: int, size_bytes: int, version: str | None = None) -> ObjectPart:
        data, info = self.read(uri), self.stat(uri)
        assert info is not None
        if version not in (None, info.version):
            message = f"expected the version {version}, found {info.version}: it was changed in the meantime"
            raise ChangedObject(uri, message)
        return ObjectPart(data[start : start + size_bytes], len(data))

    def create(self, uri: str, data: bytes) -> bool:
        with self._creating:
            if uri in self.objects:
                return False
            self.write(uri, data)
            return True

    def write(self, uri: str, data: bytes) -> None:
        self.written.append(uri)
        self.objects[uri] = data
        self._times[uri] = int(time.time())

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        for uri in sorted(self.objects):
            if uri.startswith(prefix) and (info := self.stat(uri)):
                yield info

    def local(self, uri: str) -> Path | None:
        return None

    def fetch(self, uri: str, folder: Path, expected: Expected = ANY, cancelled: threading.Event | None = None) -> Path:
        path = folder / uri.rpartition("/")[2]
        data = BytesIO()
        self.download(uri, data, expected, cancelled)
        path.write_bytes(data.getvalue())
        return path

    def download(
        self, uri: str, sink: Sink, expected: Expected = ANY, cancelled: threading.Event | None = None
    ) -> None:
        data, info = self.read(uri), self.stat(uri)
        assert info is not None
        if cancelled is not None and cancelled.is_set():
            raise TransferStopped(uri)
        if expected.version not in (None, info.version):
            message = f"expected the version {expected.version}, found {info.version}: it was changed in the meantime"
            raise TransferFailed(uri, message)
        sink.write(data)

    def publish(
        self, path: Path, uri: str, cancelled: threading.Event | None = None, intermediate: bool = False
    ) -> None:
        if cancelled is not None and cancelled.is_set():
            raise TransferStopped(uri)
        self.write(uri, path.read_bytes())
        path.unlink()

    def publish_all(self, files: Sequence[Publication]) -> None:
        for file in files:
            self.publish(file.path, file.uri, file.cancelled, file.intermediate)

    def copy(self, source: str, target: str) -> None:
        self.write(target, self.read(source))

    def delete(self, uri: str) -> None:
        self.objects.pop(uri, None)
