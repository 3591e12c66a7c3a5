"""The port to storage: objects by URI, as the engine, the worker and the commands need them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import stat_result
from pathlib import Path
from typing import BinaryIO, Protocol

from genomics_pipeline.model.access import MissingRight
from genomics_pipeline.model.budgets import Budget
from genomics_pipeline.model.errors import DataError, RunError


class MissingObject(DataError):
    """The error of a URI without an object."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri}: expected a file, found none")
        self.uri = uri


class MissingBucket(MissingObject):
    """The error of a URI without a bucket."""

    def __init__(self, uri: str) -> None:
        DataError.__init__(self, f"{uri}: expected a bucket, found none")
        self.uri = uri


class OversizedObject(DataError):
    """The error of a file that is larger than its budget."""

    def __init__(self, name: str, budget: Budget) -> None:
        super().__init__(f"{name}: expected at most {budget}, found more")
        self.budget = budget


class ForbiddenFile(DataError):
    """The error of a file of a run that this process may not open, or that the disk does not give back."""

    def __init__(self, path: Path, error: OSError) -> None:
        problem = f"expected a file that can be opened, found: {error.strerror}"
        super().__init__(f"{path}: {problem}; change its permissions, then run again")


class IrregularFile(DataError):
    """The error of a named pipe, a socket or a device in the place of a file of a run."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path}: expected a file, found a named pipe, a socket or a device; remove it, then run again"
        )


class TransferFailed(DataError):
    """The error of a transfer that failed, or whose content is not as expected; a retry may succeed."""

    def __init__(self, uri: str, message: str) -> None:
        super().__init__(f"{uri}: {message}")
        self.uri = uri


class DeniedAccess(TransferFailed):
    """The error of an object or a prefix that may not be used; a retry would be refused, too.

    Attributes:
        right: The right that is missing.
    """

    def __init__(self, uri: str, right: MissingRight) -> None:
        super().__init__(uri, str(right))
        self.right = right


class ChangedObject(TransferFailed):
    """The error of an object that is no longer the version that was to be read."""


class OtherContent(TransferFailed):
    """The error of content whose digest is not the recorded one."""


class TransferStopped(RunError):
    """The error of a transfer that was cancelled."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri}: cancelled before it was transferred")


class Sink(Protocol):
    """A receiver of content, in pieces."""

    def write(self, data: bytes, /) -> int:
        """Accept a whole piece and return its number of bytes."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The properties that an object must have when it is read.

    Attributes:
        version: `ObjectInfo.version`.
        sha256: The digest of its content, in hexadecimal.
    """

    version: str | None = None
    sha256: str | None = None


ANY = Expected()


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object without its content.

    Attributes:
        uri: The URI or path of the object.
        size_bytes: Its size.
        version: A text that changes when the content does: the ETag in S3; size and time of a local file.
        modified: The time of its last write, in whole seconds since the epoch.
        storage_class: S3's storage class; ``STANDARD`` for a local file.
        inode: The number that its file system gives a local file, which another file in its place does not have.
    """

    uri: str
    size_bytes: int
    version: str
    modified: int
    storage_class: str = "STANDARD"
    inode: int = 0


@dataclass(frozen=True, slots=True)
class ObjectPart:
    """A part of an object's content.

    Attributes:
        data: The bytes.
        size_bytes: The size of the whole object.
    """

    data: bytes
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Publication:
    """A local file that becomes an object.

    Attributes:
        path: The file.
        uri: The object.
        cancelled: Ends the transfer when it is set.
        intermediate: True if the object may expire.
    """

    path: Path
    uri: str
    cancelled: threading.Event | None = None
    intermediate: bool = False


class ObjectReader(Protocol):
    """The part of a `Store` that readers of records need."""

    def stat(self, uri: str) -> ObjectInfo | None:
        """Return the object without its content; None if there is none."""

    def read(self, uri: str) -> bytes:
        """Return the whole content of a small object; see `Store.read`."""

    def local(self, uri: str) -> Path | None:
        """Return an object's path on this machine; None if it is stored elsewhere."""


class Store(Protocol):
    """Storage with atomic writes: an object is complete or does not exist.

    Where a bucket does not exist, `stat` returns None and every other method raises `MissingBucket`.
    """

    def stat(self, uri: str) -> ObjectInfo | None:
        """Return the object without its content; None if there is none."""

    def open(self, uri: str) -> BinaryIO:
        """Open an object's content as a stream.

        Raises:
            MissingObject: if there is none.
        """

    def read(self, uri: str) -> bytes:
        """Return the whole content of a small object: a record, a definition.

        Raises:
            MissingObject: if there is none.
            OversizedObject: if it is larger than `budgets.RECORD_SIZE`.
        """

    def read_part(self, uri: str, start: int, size_bytes: int, version: str | None = None) -> ObjectPart:
        """Return a part of an object's content, by one request where its storage sends parts.

        Args:
            uri: The object.
            start: The place of the part's first byte, from 0.
            size_bytes: The size of the part; where the object ends earlier, so does the part.
            version: `ObjectInfo.version` that the object must have; None for any.

        Raises:
            MissingObject: if there is none.
            ChangedObject: if it has another version.
            TransferFailed: if it cannot be read.
        """

    def write(self, uri: str, data: bytes) -> None:
        """Write an object, in place of the one that was there."""

    def create(self, uri: str, data: bytes) -> bool:
        """Write an object unless there is one, and return whether it was written: of many writers, one succeeds."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose URIs begin with the prefix, in the order of their names."""

    def local(self, uri: str) -> Path | None:
        """Return an object's path on this machine; None if it is stored elsewhere."""

    def fetch(self, uri: str, folder: Path, expected: Expected = ANY, cancelled: threading.Event | None = None) -> Path:
        """Return a local file with an object's content: its own file if it is local, else a verified copy.

        Args:
            uri: The object.
            folder: The folder for a copy.
            expected: The properties that the object must have. The content of a local file is not compared.
            cancelled: Ends the transfer when it is set.

        Raises:
            MissingObject: if there is none.
            TransferFailed: if its content cannot be read, or is not as expected.
            TransferStopped: if it was cancelled.
        """

    def download(
        self, uri: str, sink: Sink, expected: Expected = ANY, cancelled: threading.Event | None = None
    ) -> None:
        """Transfer an object's content into a sink, in order, in bounded memory, and verified as by `fetch`.

        Args:
            uri: The object.
            sink: The receiver, which may get the whole content before an error of it is raised.
            expected: See `fetch`.
            cancelled: See `fetch`.

        Raises:
            MissingObject: See `fetch`.
            TransferFailed: See `fetch`.
            TransferStopped: See `fetch`.
        """

    def publish(
        self, path: Path, uri: str, cancelled: threading.Event | None = None, intermediate: bool = False
    ) -> None:
        """Move a local file to an object, which is visible when it is complete.

        Args:
            path: The file.
            uri: The object.
            cancelled: Ends the transfer when it is set.
            intermediate: True if the object may expire: in S3 it is tagged with `model.task.INTERMEDIATE_TAG`.

        Raises:
            TransferStopped: if it was cancelled; the object is unchanged.
        """

    def publish_all(self, files: Sequence[Publication]) -> None:
        """Move local files to objects, in this order; see `publish`. Together that is less work than one by one.

        Raises:
            TransferStopped: if one was cancelled; its object and those of the files after it are unchanged.
        """

    def copy(self, source: str, target: str) -> None:
        """Copy an object.

        Raises:
            MissingObject: if there is no source.
        """

    def delete(self, uri: str) -> None:
        """Delete an object, if there is one."""


def file_info(uri: str, status: stat_result) -> ObjectInfo:
    """Return a file of this machine, without its content, as an object."""
    version = f"{status.st_size}-{status.st_mtime_ns}"
    return ObjectInfo(uri, status.st_size, version, int(status.st_mtime), inode=status.st_ino)


def shown_place(store: ObjectReader, uri: str) -> str:
    """Return the place of an object as users know it: a path on this machine, or a URI."""
    local = store.local(uri)
    return uri if local is None else str(local)
