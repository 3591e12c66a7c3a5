"""The content of text objects in blocks; objects whose keys end with ``.gz`` or ``.zst`` are decompressed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

BLOCK_BYTES = 1024**2
_COMPRESSED_BLOCK_BYTES = 64 * 1024


def blocks(stream: BinaryIO, key: str) -> Iterator[bytes]:
    """Yield the content in blocks, none of them empty.

    Raises:
        OSError, EOFError, zlib.error: if the content is not compressed as its key says.
    """
    if key.endswith(".zst"):
        return _decompress_zstandard(stream)
    if key.endswith(".gz"):
        return iter(partial(gzip.GzipFile(fileobj=stream).read, BLOCK_BYTES), b"")
    return iter(partial(stream.read, BLOCK_BYTES), b"")


def _decompress_zstandard(stream: BinaryIO) -> Iterator[bytes]:
    """Decompress frames one by one, because the stream reader of zstandard takes a truncated file for a whole one."""
    import zstandard

    new_frame = zstandard.ZstdDecompressor().decompressobj
    frame = new_frame()
    for data in iter(partial(stream.read, _COMPRESSED_BLOCK_BYTES), b""):
        rest = data
        while rest:
            if frame.eof:
                frame = new_frame()
            try:
                block = frame.decompress(rest)
            except zstandard.ZstdError as error:
                raise OSError(str(error)) from error
            rest = frame.unused_data
            if block:
                yield block
    if not frame.eof:
        raise EOFError("Compressed file ended before the end-of-stream marker was reached")
