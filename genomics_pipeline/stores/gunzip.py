"""Decompression of gzip files of any number of members, in time linear in the file's size.

Python's own reads the names in a member's header byte by byte, so that a name of a gigabyte takes minutes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

BLOCK_BYTES = 1 << 20
_STEP_BYTES = 1 << 14  # what follows a member in a step is copied: little, also for thousands of empty members
_GZIP = 31  # zlib's window bits for gzip, whose checksum and length it checks


def gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the decompressed content in blocks of at most `BLOCK_BYTES`, none of them empty.

    Args:
        pieces: The content of a gzip file.

    Raises:
        EOFError: if it is truncated.
        zlib.error: if it is damaged.
    """
    member, is_open = zlib.decompressobj(_GZIP), False
    for step in steps(pieces):
        data = step
        while data := data if is_open else data.lstrip(b"\0"):  # with which members may be padded
            is_open = True
            yield from _blocks(member, data)
            data = member.unused_data
            if member.eof:
                member, is_open = zlib.decompressobj(_GZIP), False
    if is_open:
        raise EOFError("Compressed file ended before the end-of-stream marker was reached")


def steps(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield content in steps of which each may hold the ends of many compressed streams."""
    for piece in pieces:
        for start in range(0, len(piece), _STEP_BYTES):
            yield piece[start : start + _STEP_BYTES]


def _blocks(member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Yield the content of a part of a member."""
    block = b""
    while not member.eof and (data or len(block) == BLOCK_BYTES):  # at the end, the tail may remain
        block = member.decompress(data, BLOCK_BYTES)
        data = member.unconsumed_tail
        if block:
            yield block
