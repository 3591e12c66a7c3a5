"""Compressed files, recognised by their first bytes: a name says nothing certain about the content."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any, BinaryIO

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.gunzip import gunzip

FIRST_BYTES = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    **{bytes([first, 0x2A, 0x4D, 0x18]): "zstd" for first in range(0x50, 0x60)},  # RFC 8878, section 3.1.2: skippable
    b"\x1f\x9d": "compress",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
}
LONGEST_START = max(map(len, FIRST_BYTES))
_PIECE_BYTES = 1 << 16


class PieceReader(io.RawIOBase):
    """A stream of pieces that an iterator yields.

    Args:
        pieces: The pieces.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return True, as a stream that can be read must."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer from the next piece, and return the number of bytes."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def compression_of(start: bytes) -> str | None:
    """Return the name of the compression that a file's first bytes show; None for a plain file.

    >>> compression_of(b"BZh91AY"), compression_of(b"@read")
    ('bzip2', None)
    """
    return next((name for first, name in FIRST_BYTES.items() if start.startswith(first)), None)


def open_decompressed(stream: BinaryIO) -> BinaryIO:
    """Return the content of a plain or gzip file, decompressed if it is gzip, whatever its name.

    Args:
        stream: The file, at its beginning.

    Raises:
        DataError: for a file of another compression.
    """
    start = stream.read(LONGEST_START)
    name = compression_of(start)
    if name not in (None, "gzip"):
        raise DataError(f"expected a plain or gzip file, found {name}; decompress it, or compress it with gzip")
    pieces = chain([start], iter(partial(stream.read, _PIECE_BYTES), b""))
    return io.BufferedReader(PieceReader(gunzip(pieces) if name else pieces), _PIECE_BYTES)


@contextmanager
def reported_damage() -> Iterator[None]:
    """Raise errors of reading a compressed file as a message for the user.

    Raises:
        DataError: for a file that is truncated or damaged.
    """
    try:
        yield
    except (EOFError, zlib.error) as error:
        raise DataError(f"expected a whole gzip file: {error}") from None
