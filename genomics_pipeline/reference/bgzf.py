"""Blocks of BGZF, the format of bgzip: SAM specification, 4.1."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from genomics_pipeline.model.errors import DataError

MAX_BLOCK_BYTES = 1 << 16  # compressed and decompressed
TEXT_BYTES = 0xFF00  # of a new block, as bgzip writes it: less than the maximum, since some texts grow
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")  # the empty block of the end

_HEAD = struct.Struct("<4s6xH")  # magic, length of the extra field
_SUBFIELD = struct.Struct("<2sH")
_TRAILER = struct.Struct("<II")  # CRC, length of the content
_MAGIC, _LETTERS = b"\x1f\x8b\x08\x04", b"BC"
_NEW_HEAD = struct.pack("<4s4xBBH2sH", _MAGIC, 0, 0xFF, 6, _LETTERS, 2)
_LEVEL = 1
_EXPECTED = "expected a block of bgzip"


class Block(NamedTuple):
    """A block: the place of its first byte in its file, its bytes, and its content."""

    offset: int
    raw: bytes
    text: bytes


def whole_blocks(data: bytes, offset: int) -> Iterator[Block]:
    """Yield the blocks at the beginning of data, as far as they are whole; each is compared with its CRC.

    Args:
        data: Bytes of a file, from the beginning of a block on.
        offset: The place of the first of them in the file.

    Raises:
        DataError: for bytes that are no block, and for a block that is damaged.
    """
    place = 0
    while (size := _block_bytes(data, place, offset)) and place + size <= len(data):
        raw = data[place : place + size]
        yield Block(offset + place, raw, _content(raw, offset + place))
        place += size


def decompressed(data: bytes, limit: int) -> bytes:
    """Return the content of a whole file.

    Args:
        data: The file.
        limit: The greatest length of the content in bytes.

    Raises:
        DataError: if it is not whole, is damaged, or has more content.
    """
    texts, size, end = [], 0, 0
    for block in whole_blocks(data, 0):
        texts.append(block.text)
        size, end = size + len(block.text), block.offset + len(block.raw)
        if size > limit:
            raise DataError(f"expected at most {limit} bytes, decompressed, found more")
    if end != len(data):
        raise DataError(f"{_EXPECTED} at byte {end}, found one that is cut off")
    return b"".join(texts)


def compressed(text: bytes) -> bytes:
    """Return a text as blocks."""
    return b"".join(_block(text[start : start + TEXT_BYTES]) for start in range(0, len(text), TEXT_BYTES))


def _block(text: bytes) -> bytes:
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    content = deflate.compress(text) + deflate.flush()
    size = len(_NEW_HEAD) + 2 + len(content) + _TRAILER.size
    return _NEW_HEAD + struct.pack("<H", size - 1) + content + _TRAILER.pack(zlib.crc32(text), len(text))


def _block_bytes(data: bytes, place: int, offset: int) -> int | None:
    """Return the size of the block at a place; None if its head is not whole.

    Raises:
        DataError: for other bytes.
    """
    if len(data) - place < _HEAD.size:
        return None
    magic, extra = _HEAD.unpack_from(data, place)
    if magic != _MAGIC:
        raise DataError(f"{_EXPECTED} at byte {offset + place}, found other bytes")
    field, end = place + _HEAD.size, place + _HEAD.size + extra
    if end > len(data):
        return None
    while field + _SUBFIELD.size <= end:
        letters, length = _SUBFIELD.unpack_from(data, field)
        field += _SUBFIELD.size
        if letters == _LETTERS and length == 2 and field + length <= end:
            size = int.from_bytes(data[field : field + length], "little") + 1
            if size > end - place + _TRAILER.size:
                return size
            break
        field += length
    raise DataError(f"{_EXPECTED} at byte {offset + place}, found gzip of another kind")


def _content(raw: bytes, offset: int) -> bytes:
    (extra,) = struct.unpack_from("<H", raw, _HEAD.size - 2)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    crc, length = _TRAILER.unpack(raw[-_TRAILER.size :])
    try:
        text = inflate.decompress(raw[_HEAD.size + extra : -_TRAILER.size], MAX_BLOCK_BYTES + 1)
    except zlib.error:
        text = b""
    if len(text) != length or zlib.crc32(text) != crc:
        raise DataError(f"{_EXPECTED} at byte {offset}, found one whose content is not that of its checksum (CRC)")
    return text
