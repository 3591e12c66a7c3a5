"""Ranged inputs and parameters: the excerpt of a remote file that a task gets in place of the whole file.

The digest of a file cannot be compared when only a part of it is read. So the part is bound to the version that the
file had when it was published, which its completion record has, and to its size; the index is compared by its digest,
and each block by its CRC. A file of another version, such as one of a run that was copied within S3, is first read as a
whole and compared by its digest; nothing of that is stored.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from genomics_pipeline.model.errors import DataError, PipelineError
from genomics_pipeline.model.plain_path import file_name
from genomics_pipeline.reference.tabix_index import TabixIndex
from genomics_pipeline.stores.given_file import stat_given
from genomics_pipeline.stores.protocol import (
    ChangedObject,
    Expected,
    MissingObject,
    OtherContent,
    Store,
    TransferFailed,
)
from genomics_pipeline.worker.excerpt import PartReader, Span, write_excerpt

AT_ONCE = 8  # excerpts: each holds an index and a part of a file in memory


class RemoteFile(NamedTuple):
    """A remote file as it is expected to be.

    Attributes:
        uri: Its URI.
        size_bytes: Its size.
        version: `ObjectInfo.version`; empty where it is not known.
        sha256: The digest of an output of the run; None for a file of the user's.
    """

    uri: str
    size_bytes: int
    version: str
    sha256: str | None

    @classmethod
    def given(cls, uri: str, store: Store) -> RemoteFile:
        """Return a file of the user's as it is now.

        Raises:
            MissingObject: if there is no such file.
        """
        info = stat_given(uri, store)
        return cls(uri, info.size_bytes, info.version, None)


class Excerpt(NamedTuple):
    """An excerpt: its path, and the bytes that were read for it, those of the index included."""

    path: Path
    read_bytes: int


@dataclass(frozen=True, slots=True)
class Excerpts:
    """The excerpts of a task.

    Attributes:
        store: The store of the files.
        spans: The spans whose records they have.
        cancelled: Ends reading when it is set.
    """

    store: Store
    spans: Sequence[Span]
    cancelled: threading.Event

    def fetch(self, file: RemoteFile, index: RemoteFile, folder: Path) -> Excerpt:
        """Return an excerpt of a file.

        Args:
            file: The file.
            index: Its index.
            folder: The folder for the excerpt and its index.

        Raises:
            MissingObject: if there is no such file.
            OtherContent: if an output of the run is not as recorded.
            DataError: if a file of the user's is not what it should be.
            TransferFailed: if it cannot be read.
            TransferStopped: if it was cancelled.
        """
        parsed, index_bytes = self._index(index)
        path = folder / file_name(file.uri)
        try:
            reader = self._write(file, parsed, path)
        except ChangedObject:
            if file.sha256 is None:
                raise
            reader = self._write(self._compared(file), parsed, path)
        return Excerpt(path, index_bytes + reader.read_bytes)

    def _write(self, file: RemoteFile, index: TabixIndex, path: Path) -> PartReader:
        known = file if file.version else self._compared(file)
        reader = PartReader(self.store, file.uri, known.version, file.size_bytes, self.cancelled)
        try:
            write_excerpt(reader, index, self.spans, path)
        except (TransferFailed, MissingObject):
            raise
        except DataError as error:
            raise _misfit(file, error) from None
        return reader

    def _compared(self, file: RemoteFile) -> RemoteFile:
        """Return a file with the version that it has now, after its content was compared with its digest."""
        info = self.store.stat(file.uri)
        if info is None:
            raise MissingObject(file.uri)
        with Path(os.devnull).open("wb") as sink:
            self.store.download(file.uri, sink, Expected(info.version, file.sha256), self.cancelled)
        return file._replace(version=info.version)

    def _index(self, index: RemoteFile) -> tuple[TabixIndex, int]:
        """Return an index, which is read as a whole, and the bytes of its file."""
        part = self.store.read_part(index.uri, 0, index.size_bytes, None if index.sha256 else index.version)
        if index.sha256 and sha256(part.data).hexdigest() != index.sha256:
            found = sha256(part.data).hexdigest()
            raise OtherContent(index.uri, f"expected content with the sha256 {index.sha256}, found {found}")
        try:
            return TabixIndex(part.data), len(part.data)
        except DataError as error:
            raise _misfit(index, error) from None


def _misfit(file: RemoteFile, error: PipelineError) -> DataError:
    """Return the error of a file with its URI: damage of an output of the run can be repaired by its stage."""
    return OtherContent(file.uri, str(error)) if file.sha256 else DataError(f"{file.uri}: {error}")
