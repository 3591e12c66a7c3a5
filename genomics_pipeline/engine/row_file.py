"""The rows of a Map Run's children that succeeded, written as they end in the form of a result file.

So each row is written once: when children have ended in order, ResultWriter publishes this file itself. It is on disk
before the lines of the journal that refer to it; what follows the last such row was left by a crash.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from genomics_pipeline.engine.journal import DAMAGED
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.stores.durable import release_cache, sync_data, sync_names
from genomics_pipeline.stores.open_folder import open_unlinked_file
from genomics_pipeline.stores.publish import open_appending

_COPIED_BYTES = 1 << 20
_CACHED_BYTES = 64 << 20  # of a file in order, which hardly anybody reads soon
_PIECES = 1024  # of one call: IOV_MAX of Linux and macOS


@dataclass(frozen=True, slots=True)
class Framing:
    """The bytes before, between and after the rows of a result file."""

    first: bytes
    between: bytes
    last: bytes

    @classmethod
    def of(cls, output_type: str) -> Framing:
        """Return the framing of ``OutputType``: ``JSON``, one array, or ``JSONL``, a line for each row."""
        return cls(b"", b"\n", b"\n") if output_type == "JSONL" else cls(b"[", b",", b"]")


class RowFile:
    """A file of rows.

    Args:
        path: The file.
        framing: The bytes around the rows.
        size: The size up to the last row that the journal refers to; 0 for a new file.

    Attributes:
        size: The size up to the last row that was placed, in bytes.
        is_in_order: Whether the rows are in the order of a result file, so that nobody reads them to sort them.
    """

    def __init__(self, path: Path, framing: Framing, size: int = 0) -> None:
        self.path = path
        self.size = size
        self.is_in_order = True
        self._framing = framing
        self._written = size
        self._file: BinaryIO | None = None
        self._reader: BinaryIO | None = None

    def place(self, size: int) -> tuple[int, bytes]:
        """Return the offset of another row of a size in bytes, and the bytes that must be written before it."""
        before = self._framing.between if self.size else self._framing.first
        offset = self.size + len(before)
        self.size = offset + size
        return offset, before

    def write(self, pieces: Sequence[bytes]) -> None:
        """Append pieces of rows; they are on disk when it returns, and hardly in memory."""
        if self._file is None:
            self._file = open_appending(self.path)
            os.ftruncate(self._file.fileno(), self._written)
            sync_names(self.path.parent)
        self._written += write_pieces(self._file.fileno(), pieces)
        sync_data(self._file.fileno())
        if self.is_in_order:
            release_cache(self._file.fileno(), _CACHED_BYTES)

    def check(self) -> None:
        """Require all rows that the journal refers to.

        Raises:
            RunError: if the file is missing or too short.
        """
        if self.size and (not self.path.is_file() or self.path.stat().st_size < self.size):
            raise self._damage(self.size)

    def read(self, offset: int, size: int) -> bytes:
        """Return a row that has been written.

        Raises:
            RunError: if it is not there.
        """
        try:
            if self._reader is None:
                self._reader = open_unlinked_file(self.path)
        except FileNotFoundError:
            raise self._damage(offset + size) from None
        if self._reader.tell() != offset:  # a seek discards the read buffer
            self._reader.seek(offset)
        row = self._reader.read(size)
        if len(row) < size:
            raise self._damage(offset + size)
        return row

    def _damage(self, size: int) -> RunError:
        return RunError(f"{self.path}: expected {size} bytes, to which the journal refers, found fewer; {DAMAGED}")

    def copy_to(self, path: Path) -> int:
        """Put all rows and the end of a result file into a new file, and return its size.

        The new file is this one under another name, unless that has been published before: it must not change then.
        """
        self.close()
        with open_unlinked_file(self.path) as rows:
            try:
                if os.fstat(rows.fileno()).st_nlink > 1:
                    raise FileExistsError
                os.link(self.path, path, follow_symlinks=False)
            except OSError:  # or a file system without such links
                with path.open("xb") as copy:
                    shutil.copyfileobj(rows, copy, _COPIED_BYTES)
        with path.open("r+b") as file:
            file.truncate(self.size)
            file.seek(self.size)
            file.write(self._framing.last)
        return self.size + len(self._framing.last)

    def close(self) -> None:
        """Close the file."""
        for file in (self._file, self._reader):
            if file is not None:
                file.close()
        self._file = self._reader = None


def write_pieces(descriptor: int, pieces: Sequence[bytes]) -> int:
    """Write pieces one after the other, without joining them, and return their size in bytes."""
    size = 0
    for start in range(0, len(pieces), _PIECES):
        several = pieces[start : start + _PIECES]
        written, wanted = os.writev(descriptor, several), sum(map(len, several))
        while written < wanted:
            written += os.write(descriptor, b"".join(several)[written:])
        size += wanted
    return size
