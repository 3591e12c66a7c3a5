"""Compressed files, recognised by their first bytes: a name says nothing certain about the content."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from genomics_pipeline.model.errors import DataError

_FIRST_BYTES = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x1f\x9d": "compress",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
}
LONGEST_START = max(map(len, _FIRST_BYTES))


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were already taken.

    Args:
        start: The bytes.
        rest: The stream.
    """

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start, self._rest = start, rest

    def readable(self) -> bool:
        """Return True, as a stream that can be read must."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer from the first bytes, or else from the rest, and return the number of bytes."""
        piece = self._start[: len(buffer)] or self._rest.read(len(buffer))
        self._start = self._start[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def compression_of(start: bytes) -> str | None:
    """Return the name of the compression that a file's first bytes show; None for a plain file.

    >>> compression_of(b"BZh91AY"), compression_of(b"@read")
    ('bzip2', None)
    """
    return next((name for first, name in _FIRST_BYTES.items() if start.startswith(first)), None)


def open_decompressed(stream: BinaryIO, known: Collection[str] = ("gzip",)) -> BinaryIO:
    """Return the content of a file, decompressed where it is compressed, whatever its name.

    Args:
        stream: The file, at its beginning.
        known: The compressions that may be used: gzip, bzip2.

    Raises:
        DataError: for a file of another compression.
    """
    start = stream.read(LONGEST_START)
    name = compression_of(start)
    rejoined = cast(BinaryIO, io.BufferedReader(_Rejoined(start, stream), 1 << 16))
    if name is None:
        return rejoined
    if name not in known:
        raise DataError(f"expected a plain or gzip file, found {name}; decompress it, or compress it with gzip")
    return cast(BinaryIO, gzip.GzipFile(fileobj=rejoined) if name == "gzip" else bz2.BZ2File(rejoined))


@contextmanager
def reported_damage() -> Iterator[None]:
    """Raise errors of reading a compressed file as a message for the user.

    Raises:
        DataError: for a file that is truncated or damaged.
    """
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"expected a whole gzip file: {error}") from None
