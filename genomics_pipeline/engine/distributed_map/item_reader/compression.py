"""The content of text objects in blocks; objects whose keys end with ``.gz`` or ``.zst`` are decompressed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems
from genomics_pipeline.stores.decompression import zstandard_blocks
from genomics_pipeline.stores.gunzip import gunzip

BLOCK_BYTES = 1024**2
LINES_BYTES = BLOCK_BYTES // 4  # of JSON Lines, whose values are then small enough for the cache of a processor
COMPRESSED = (".gz", ".zst")
_COMPRESSED_BLOCK_BYTES = 64 * 1024


def blocks(stream: BinaryIO, key: str, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yield the content in blocks, none of them empty.

    Args:
        stream: The object.
        key: Its key, whose end says how it is compressed.
        size: The size of a block in bytes, of an object that is not compressed.

    Raises:
        UnreadableItems: if the content is not compressed as its key says, or not whole.
        OSError: if it cannot be read.
    """
    compressed = iter(partial(stream.read, _COMPRESSED_BLOCK_BYTES), b"")
    if key.endswith(".zst"):
        return _decompressed(zstandard_blocks(compressed), "zstd", ".zst")
    if key.endswith(".gz"):
        return _decompressed(gunzip(compressed), "gzip", ".gz")
    return iter(partial(stream.read, size), b"")


def _decompressed(content: Iterator[bytes], form: str, suffix: str) -> Iterator[bytes]:
    try:
        yield from content
    except EOFError:
        raise UnreadableItems(f"expected a whole {form} file, found one that ends within its content") from None
    except (zlib.error, OSError) as error:
        if getattr(error, "errno", None) is not None:  # of the file or the server, not of its content
            raise
        raise UnreadableItems(f"expected {form}, since the name ends in {suffix}: {error}") from error


def first_blocks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the first bytes of the content in blocks, none of them empty.

    Args:
        stream: The content, not compressed.
        size: The number of bytes.
    """
    while size and (block := stream.read(min(size, LINES_BYTES))):
        size -= len(block)
        yield block
