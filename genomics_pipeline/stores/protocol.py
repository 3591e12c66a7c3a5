"""Objects by URI: what the engine, the worker and the commands ask of storage."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from genomics_pipeline.model.errors import DataError, RunError


class MissingObject(DataError):
    """There is no object of that URI."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri}: expected a file, found none")


class MissingBucket(MissingObject):
    """There is no bucket for an object of that URI."""

    def __init__(self, uri: str) -> None:
        DataError.__init__(self, f"{uri}: expected a bucket, found none")


class TransferFailed(DataError):
    """A content did not come, or did not come as it was: another attempt may go better."""

    def __init__(self, uri: str, message: str) -> None:
        super().__init__(f"{uri}: {message}")


class TransferStopped(RunError):
    """A transfer ended before its time because it was told to."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri}: told to end before it was transferred")


class Sink(Protocol):
    """What takes a content piece by piece."""

    def write(self, data: bytes, /) -> int:
        """Take all of it; how much it was."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of an object's content before it is read.

    Attributes:
        version: `ObjectInfo.version`.
        sha256: In hexadecimal.
    """

    version: str | None = None
    sha256: str | None = None


ANY = Expected()


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object without its content.

    Attributes:
        uri: Its URI, or its path.
        size_bytes: Its size.
        version: Changes when the content does: the ETag of S3; size and time of a local file.
        modified: When it was written, in whole seconds since the epoch.
        storage_class: What S3 calls it; of a local file, ``STANDARD``.
    """

    uri: str
    size_bytes: int
    version: str
    modified: int
    storage_class: str = "STANDARD"


class Store(Protocol):
    """Storage. Writes are atomic: an object is whole or not there.

    Where a bucket does not exist, `stat` finds nothing and all else raises `MissingBucket`.
    """

    def stat(self, uri: str) -> ObjectInfo | None:
        """The object, None where there is none."""

    def open(self, uri: str) -> BinaryIO:
        """Its content as a stream.

        Raises:
            MissingObject: if there is none.
        """

    def read(self, uri: str) -> bytes:
        """Its whole content.

        Raises:
            MissingObject: if there is none.
        """

    def write(self, uri: str, data: bytes) -> None:
        """Put an object, in place of the one that was there."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """The objects whose URIs begin with the prefix, in the order of their names."""

    def local(self, uri: str) -> Path | None:
        """Where it lies on this machine; None for what lies elsewhere."""

    def fetch(self, uri: str, folder: Path, expected: Expected = ANY, cancelled: threading.Event | None = None) -> Path:
        """A local file with its content: itself where it is local, else a verified copy in the folder.

        Args:
            uri: The object.
            folder: For a copy.
            expected: What must be so. The content of what is local is not read to compare it.
            cancelled: Set when it must end before its time.

        Raises:
            MissingObject: if there is none.
            TransferFailed: if its content cannot be read, or is not what it should be.
            TransferStopped: if it was cancelled.
        """

    def download(
        self, uri: str, sink: Sink, expected: Expected = ANY, cancelled: threading.Event | None = None
    ) -> None:
        """Its content into something that takes it, in order and little of it in memory, verified as by `fetch`.

        Args:
            uri: The object.
            sink: Takes the content. It may have taken all of it before what is wrong with it is raised.
            expected: See `fetch`.
            cancelled: Set when it must end before its time.

        Raises:
            MissingObject: see `fetch`.
            TransferFailed: see `fetch`.
            TransferStopped: see `fetch`.
        """

    def publish(
        self, path: Path, uri: str, cancelled: threading.Event | None = None, intermediate: bool = False
    ) -> None:
        """Move a local file to be the object, visible when complete.

        Args:
            path: The file.
            uri: The object.
            cancelled: Set when it must end before its time.
            intermediate: It may expire: where objects have tags it gets `model.task.INTERMEDIATE_TAG`.

        Raises:
            TransferStopped: if it was cancelled; the object is as it was.
        """

    def copy(self, source: str, target: str) -> None:
        """Put an object with the content of another.

        Raises:
            MissingObject: if there is no other.
        """

    def delete(self, uri: str) -> None:
        """Take an object away, if there is one."""
