"""The content of text objects in blocks; objects whose keys end with ``.gz`` or ``.zst`` are decompressed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from genomics_pipeline.stores.decompression import zstandard_blocks
from genomics_pipeline.stores.gunzip import gunzip

BLOCK_BYTES = 1024**2
_COMPRESSED_BLOCK_BYTES = 64 * 1024


def blocks(stream: BinaryIO, key: str) -> Iterator[bytes]:
    """Yield the content in blocks, none of them empty.

    Raises:
        OSError, EOFError, zlib.error: if the content is not compressed as its key says.
    """
    compressed = iter(partial(stream.read, _COMPRESSED_BLOCK_BYTES), b"")
    if key.endswith(".zst"):
        return zstandard_blocks(compressed)
    if key.endswith(".gz"):
        return gunzip(compressed)
    return iter(partial(stream.read, BLOCK_BYTES), b"")
