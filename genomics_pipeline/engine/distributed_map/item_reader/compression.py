"""The content of text objects, block by block; ``.gz`` and ``.zst``, told by the key, are decompressed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

BLOCK_BYTES = 1024**2
_COMPRESSED_BLOCK_BYTES = 64 * 1024


def blocks(stream: BinaryIO, key: str) -> Iterator[bytes]:
    """Yield the content, no block of it empty.

    Raises:
        OSError, EOFError, zlib.error: if it is not compressed as its key says.
    """
    if key.endswith(".zst"):
        return _zstandard(stream)
    if key.endswith(".gz"):
        return iter(partial(gzip.GzipFile(fileobj=stream).read, BLOCK_BYTES), b"")
    return iter(partial(stream.read, BLOCK_BYTES), b"")


def _zstandard(stream: BinaryIO) -> Iterator[bytes]:
    """zstandard's own reader takes a file that was cut short for a whole one; its decompressor tells them apart."""
    import zstandard

    begin = zstandard.ZstdDecompressor().decompressobj
    frame = begin()
    for data in iter(partial(stream.read, _COMPRESSED_BLOCK_BYTES), b""):
        rest = data
        while rest:
            if frame.eof:
                frame = begin()
            try:
                found = frame.decompress(rest)
            except zstandard.ZstdError as error:
                raise OSError(str(error)) from error
            rest = frame.unused_data
            if found:
                yield found
    if not frame.eof:
        raise EOFError("Compressed file ended before the end-of-stream marker was reached")
