"""Objects by URI: what the engine, the worker and the commands ask of storage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from genomics_pipeline.model.errors import DataError


class MissingObject(DataError):
    """There is no object of that URI."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri}: expected a file, found none")


class MissingBucket(MissingObject):
    """There is no bucket for an object of that URI."""

    def __init__(self, uri: str) -> None:
        DataError.__init__(self, f"{uri}: expected a bucket, found none")


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

    def fetch(self, uri: str, folder: Path) -> Path:
        """A local file with its content: itself where it is local, else a copy in the folder.

        Raises:
            MissingObject: if there is none.
        """

    def publish(self, path: Path, uri: str) -> None:
        """Move a local file to be the object."""

    def copy(self, source: str, target: str) -> None:
        """Put an object with the content of another.

        Raises:
            MissingObject: if there is no other.
        """

    def delete(self, uri: str) -> None:
        """Take an object away, if there is one."""
