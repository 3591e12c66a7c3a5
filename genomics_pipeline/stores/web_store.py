"""The store of files on web servers, which are only read."""

from __future__ import annotations

import hashlib
import io
import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.plain_path import file_name
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.web_uri import split_checksum
from genomics_pipeline.stores.new_file import new_file
from genomics_pipeline.stores.protocol import (
    ANY,
    ChangedObject,
    Expected,
    MissingObject,
    ObjectInfo,
    ObjectPart,
    OtherContent,
    OversizedObject,
    Publication,
    Sink,
    TransferStopped,
)
from genomics_pipeline.stores.receiver import Receiver
from genomics_pipeline.stores.web_file import WebFile, find_file

POLL_S = 0.2


class WebStore:
    """The store of ``https://HOST/PATH``, and of ``http://`` on this machine.

    A URL may end with the checksum of its file, as ``#md5=…`` or ``#sha256=…``, with which its content is compared.
    """

    def stat(self, uri: str) -> ObjectInfo | None:
        """Return the object without its content; None if there is none."""
        file = find_file(uri)
        return None if file is None else ObjectInfo(uri, file.size_bytes, file.version, file.modified)

    def open(self, uri: str) -> BinaryIO:
        """Open an object's content as a stream."""
        pieces = _pieces(self._file(uri, ANY), None)
        return cast(BinaryIO, io.BufferedReader(_Stream(pieces)))

    def read(self, uri: str) -> bytes:
        """Return an object's whole content."""
        file = self._file(uri, ANY)
        if file.size_bytes > budgets.RECORD_SIZE.value:
            raise OversizedObject(without_secrets(uri), budgets.RECORD_SIZE)
        content = io.BytesIO()
        self.download(uri, content, Expected(version=file.version))
        return content.getvalue()

    def read_part(self, uri: str, start: int, size_bytes: int, version: str | None = None) -> ObjectPart:
        """Return a part of an object's content; a server that sends no parts is read up to the part's end."""
        file = self._file(uri, Expected(version=version))
        return ObjectPart(file.part(start, size_bytes), file.size_bytes)

    def create(self, uri: str, data: bytes) -> bool:
        """Refuse it."""
        raise _read_only(uri)

    def write(self, uri: str, data: bytes) -> None:
        """Refuse it."""
        raise _read_only(uri)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Refuse it: web servers have no standard way of listing files."""
        raise DataError(f"{without_secrets(prefix)}: expected a folder or an s3:// prefix, found a web server")

    def local(self, uri: str) -> Path | None:
        """Return None: no file of a web server is on this machine."""
        return None

    def fetch(self, uri: str, folder: Path, expected: Expected = ANY, cancelled: threading.Event | None = None) -> Path:
        """Return a verified copy in the folder."""
        path = folder / file_name(uri)
        with new_file(path) as out:
            self.download(uri, out, expected, cancelled)
        return path

    def download(
        self, uri: str, sink: Sink, expected: Expected = ANY, cancelled: threading.Event | None = None
    ) -> None:
        """Transfer an object's content into a sink; a transfer that breaks off is continued."""
        file = self._file(uri, expected)
        _, algorithm, digest = split_checksum(uri)
        if expected.sha256:
            algorithm, digest = "sha256", expected.sha256
        checksum = hashlib.new(algorithm or "md5", usedforsecurity=False)
        with closing(_pieces(file, cancelled)) as pieces:
            for piece in pieces:
                checksum.update(piece)
                sink.write(piece)
        if digest not in (None, checksum.hexdigest()):
            found = f"expected content with the {algorithm} {digest}, found {checksum.hexdigest()}"
            raise OtherContent(without_secrets(uri), found)

    def publish(
        self, path: Path, uri: str, cancelled: threading.Event | None = None, intermediate: bool = False
    ) -> None:
        """Refuse it."""
        raise _read_only(uri)

    def publish_all(self, files: Sequence[Publication]) -> None:
        """Refuse it."""
        raise _read_only(files[0].uri)

    def copy(self, source: str, target: str) -> None:
        """Refuse it."""
        raise _read_only(target)

    def delete(self, uri: str) -> None:
        """Refuse it."""
        raise _read_only(uri)

    def _file(self, uri: str, expected: Expected) -> WebFile:
        file = find_file(uri)
        if file is None:
            raise MissingObject(without_secrets(uri))
        if expected.version not in (None, file.version):
            message = f"expected the version {expected.version}, found {file.version}: it was changed in the meantime"
            raise ChangedObject(without_secrets(uri), message)
        return file


def _read_only(uri: str) -> DataError:
    return DataError(f"{without_secrets(uri)}: expected a path or an s3:// URI to write to, found a web server")


def _pieces(file: WebFile, cancelled: threading.Event | None) -> Generator[bytes]:
    """Yield the content of a file until it is cancelled, whatever its server does."""
    receiver = Receiver(file.content)
    try:
        while True:
            if cancelled is not None and cancelled.is_set():
                raise TransferStopped(without_secrets(file.uri))
            try:
                piece = receiver.next(POLL_S)
            except queue.Empty:
                continue
            if piece is None:
                return
            yield piece
    finally:
        receiver.close()


class _Stream(io.RawIOBase):
    """A stream of pieces."""

    def __init__(self, pieces: Generator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed: any writable buffer
        """Fill a buffer as far as the piece at hand reaches."""
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def close(self) -> None:
        """End the transfer."""
        super().close()
        self._pieces.close()
