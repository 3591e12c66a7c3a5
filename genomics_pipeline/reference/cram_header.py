"""The header of a CRAM file: the text in its first container (CRAM specification 3.1, sections 2.3, 6, 7 and 8)."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError

MAGIC = b"CRAM"
_FILE_ID_BYTES = 20  # behind the magic bytes and the version
_CHECKSUMS_SINCE = 3  # of the format: CRC32 of containers and blocks
_FILE_HEADER = 0  # type of a block
_PLACES = 1 << 16  # of blocks in the first container, which has one or two
_DAMAGE = "expected a CRAM file whose first block is its header, found damage"
_END = DataError("expected a whole CRAM header, found the end of the file: it is cut off")


def read_cram_header(file: BinaryIO) -> str:
    """Return the text of the header.

    Args:
        file: The file, behind `MAGIC`.

    Raises:
        DataError: for a header that is cut off or damaged.
    """
    major = _bytes(file, 2)[0]
    _bytes(file, _FILE_ID_BYTES)
    _skip_container_header(file, major)
    method, kind = _bytes(file, 2)
    _itf8(file)  # content id
    compressed, size = _itf8(file), _itf8(file)
    if kind != _FILE_HEADER or method not in _METHODS or max(compressed, size) > budgets.FASTQ_HEAD.value:
        raise DataError(_DAMAGE)
    try:
        data = _METHODS[method](_bytes(file, compressed), size)
    except (OSError, zlib.error, lzma.LZMAError, ValueError):
        raise DataError(_DAMAGE) from None
    return data[4 : 4 + int.from_bytes(data[:4], "little")].decode("utf-8", "replace")


_METHODS: dict[int, Callable[[bytes, int], bytes]] = {
    0: lambda data, size: data,
    1: lambda data, size: zlib.decompressobj(31).decompress(data, size),
    2: lambda data, size: bz2.BZ2Decompressor().decompress(data, size),
    3: lambda data, size: lzma.LZMADecompressor().decompress(data, size),
}


def _skip_container_header(file: BinaryIO, major: int) -> None:
    _bytes(file, 4)  # its length
    for _ in range(4):  # sequence, start, span, number of records
        _itf8(file)
    (_ltf8 if major >= _CHECKSUMS_SINCE else _itf8)(file)  # counter of records
    _ltf8(file)  # bases
    _itf8(file)  # number of blocks
    if (places := _itf8(file)) > _PLACES:
        raise DataError(_DAMAGE)
    for _ in range(places):
        _itf8(file)
    if major >= _CHECKSUMS_SINCE:
        _bytes(file, 4)


def _bytes(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise _END
    return data


def _itf8(file: BinaryIO) -> int:
    """Read an integer of one to five bytes, the number of which is that of the leading ones of the first and one."""
    first = _bytes(file, 1)[0]
    ones = min(_leading_ones(first), 4)
    value = first & (0xFF >> (ones + 1)) if ones < 4 else first & 0x0F
    for number in range(ones):
        byte = _bytes(file, 1)[0]
        value = value << 4 | byte & 0x0F if number == 3 else value << 8 | byte
    return value


def _ltf8(file: BinaryIO) -> int:
    """Read an integer of one to nine bytes."""
    first = _bytes(file, 1)[0]
    ones = _leading_ones(first)
    return (first & (0xFF >> (ones + 1))) << 8 * ones | int.from_bytes(_bytes(file, ones), "big")


def _leading_ones(byte: int) -> int:
    """Return the number of leading ones of a byte.

    >>> _leading_ones(0x7F), _leading_ones(0xE0), _leading_ones(0xFF)
    (0, 3, 8)
    """
    return 8 - (byte ^ 0xFF).bit_length()
