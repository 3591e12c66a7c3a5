"""The index of a file that bgzip compressed, ``.gzi``: where its blocks begin, compressed and decompressed.

The formats are those of BGZF in the SAM specification, 4.1, and of bgzf_index_dump_hfile in htslib's bgzf.c.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from genomics_pipeline.model.errors import DataError

_HEAD = struct.Struct("<4s6xH2s2xH")  # magic, length of the extra field, its first two letters, size of the block - 1
_MAGIC, _LETTERS = b"\x1f\x8b\x08\x04", b"BC"
_EXTRA_BYTES = 6
_TRAILER = struct.Struct("<4xI")  # checksum, length of the content
_PAIR = struct.Struct("<QQ")
HEAD_BYTES = _HEAD.size


def is_bgzip(start: bytes) -> bool:
    """Return whether a file was compressed by bgzip, by its first `HEAD_BYTES` bytes."""
    return len(start) >= HEAD_BYTES and _block_bytes(start) is not None


def gzi(stream: BinaryIO) -> bytes:
    """Return the index of a file, as ``bgzip --reindex`` writes it.

    Args:
        stream: The compressed file, at its beginning.

    Raises:
        DataError: if it is not a whole file of BGZF.
    """
    pairs = b"".join(_PAIR.pack(*place) for place in _places(stream))
    return struct.pack("<Q", len(pairs) // _PAIR.size) + pairs


def _places(stream: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield where each block but the first begins, compressed and decompressed; not the empty one at the end."""
    compressed = decompressed = 0
    while head := stream.read(HEAD_BYTES):
        size = _block_bytes(head) if len(head) == HEAD_BYTES else None
        rest = b"" if size is None else stream.read(size - HEAD_BYTES)
        if size is None or len(rest) < size - HEAD_BYTES:
            raise DataError(f"expected blocks of bgzip to the end, found other bytes or none at byte {compressed:,}")
        (length,) = _TRAILER.unpack(rest[-_TRAILER.size :])
        if compressed and length:
            yield compressed, decompressed
        compressed, decompressed = compressed + size, decompressed + length


def _block_bytes(head: bytes) -> int | None:
    """Return the size of the block with these first bytes; None if it is none of BGZF."""
    magic, extra, letters, size = _HEAD.unpack(head[:HEAD_BYTES])
    is_block = magic == _MAGIC and extra >= _EXTRA_BYTES and letters == _LETTERS and size > HEAD_BYTES + _TRAILER.size
    return size + 1 if is_block else None
