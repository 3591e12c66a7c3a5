"""The end of a gzip file that is no BGZF: blocks of deflate are found in its last bytes, and decoded to its end.

A block may begin at any bit. Where one with codes of its own (RFC 1951, 3.2.7) may begin is found by columns: its type,
the numbers of its codes, and the lengths of the codes of these lengths, which must use up all codes. What follows from
there is decoded by zlib, with NUL for the text before, which is not known. From a wrong place it fails at once.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

WHOLE, TRUNCATED, UNKNOWN = "whole", "truncated", "unknown"
CHUNK_BYTES = 1 << 14  # in which beginnings are looked for, from the end of the file on
TRAILER_BYTES = 8  # of a member of gzip: CRC-32 and length
SURE_BYTES = 1 << 14  # of content: so much is not decoded from a wrong place
MOST_CONTENT = 1 << 26
_RAW, _GZIP = -15, 31  # zlib's window bits
_WINDOW = bytes(1 << 15)
_TEXT = bytes([0, 9, 10, 13, *range(32, 127)])  # of FASTQ, with NUL for what is not known
_HEADER_BITS, _LENGTHS, _LENGTH_BITS = 17, 19, 3
_ALL_CODES = 1 << 7  # of the greatest length of a code of lengths


def deflate_end(tail: bytes) -> tuple[str, bytes]:
    """Return whether a file of gzip ends as it should, and the last content.

    Args:
        tail: The last bytes of the file.
    """
    shifted: dict[int, bytes] = {}
    for place in _beginnings(tail):
        shift = place % 8
        if shift not in shifted:
            shifted[shift] = _shift(tail, shift)
        state, text = _decode(shifted[shift], place // 8, tail)
        if state != UNKNOWN:
            return state, text
    return UNKNOWN, b""


def _beginnings(tail: bytes) -> Iterator[int]:
    """Yield the bits at which a block may begin, those in the last bytes first."""
    data = np.frombuffer(tail + bytes(16), np.uint8)
    for end in range(len(tail), 0, -CHUNK_BYTES):
        start = max(0, end - CHUNK_BYTES)
        yield from map(int, _candidates(data, start, end))


def _candidates(data: npt.NDArray[np.uint8], start: int, end: int) -> npt.NDArray[np.int64]:
    """Return the bits between two bytes at which a block with codes of its own may begin.

    Args:
        data: The bytes, and at least 16 behind them.
        start: The first byte.
        end: The byte behind the last one.
    """
    places = np.arange(8 * start, 8 * end, dtype=np.int64)
    header = _bits(data, places, _HEADER_BITS)
    plausible = ((header >> 1) & 3 == 2) & ((header >> 3) & 31 <= 29) & ((header >> 8) & 31 <= 29)
    places, header = places[plausible], header[plausible]
    count = 4 + (header >> 13)
    used = np.zeros(len(places), np.int64)
    for number in range(_LENGTHS):
        length = _bits(data, places + _HEADER_BITS + _LENGTH_BITS * number, _LENGTH_BITS)
        used += np.where((length > 0) & (number < count), _ALL_CODES >> length, 0)
    chosen: npt.NDArray[np.int64] = places[used == _ALL_CODES]
    return chosen


def _bits(data: npt.NDArray[np.uint8], places: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Return the number that up to 17 bits from each place on are, the lowest bit first."""
    byte = places >> 3
    word = data[byte].astype(np.int64) | data[byte + 1].astype(np.int64) << 8
    if count > 8:
        word |= data[byte + 2].astype(np.int64) << 16
    numbers: npt.NDArray[np.int64] = (word >> (places & 7)) & ((1 << count) - 1)
    return numbers


def _shift(tail: bytes, shift: int) -> bytes:
    """Return bytes that begin some bits later."""
    if shift == 0:
        return tail
    data = np.frombuffer(tail + b"\0", np.uint8).astype(np.uint16)
    return ((data[:-1] >> shift) | (data[1:] << (8 - shift))).astype(np.uint8).tobytes()


def _decode(shifted: bytes, start: int, tail: bytes) -> tuple[str, bytes]:
    """Return how the content that begins at a byte of the shifted bytes ends, and that content."""
    member = zlib.decompressobj(_RAW, zdict=_WINDOW)
    try:
        text = member.decompress(memoryview(shifted)[start:], MOST_CONTENT)
    except zlib.error:
        return UNKNOWN, b""
    if text.translate(None, _TEXT):
        return UNKNOWN, b""
    if not member.eof:
        return (TRUNCATED if len(text) >= SURE_BYTES and not member.unconsumed_tail else UNKNOWN), b""
    ended = len(shifted) - len(member.unused_data)
    for trailer in (ended, ended + 1):  # which begins at the next whole byte of the file
        rest = _rest(tail, trailer + TRAILER_BYTES)
        if rest is not None:
            return WHOLE, text + rest
    return (TRUNCATED if len(text) >= SURE_BYTES else UNKNOWN), b""


def _rest(tail: bytes, place: int) -> bytes | None:
    """Return the content of the members behind a trailer; None if they, or the trailer, are not whole.

    Args:
        tail: The last bytes of the file.
        place: The byte behind the trailer.
    """
    if len(tail) < place:
        return None
    data, content = tail[place:], []
    while data := data.lstrip(b"\0"):
        member = zlib.decompressobj(_GZIP)
        try:
            content.append(member.decompress(data, MOST_CONTENT))
        except zlib.error:
            return None
        if member.unconsumed_tail:
            return b""  # more than is looked at: nothing says that it is truncated
        if not member.eof:
            return None
        data = member.unused_data
    return b"".join(content)
