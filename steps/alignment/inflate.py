"""gzip files of one or more members, piece by piece: all that comes before an error is given before it is raised."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from typing import Any

from zlib_ng import zlib_ng

CHUNK_BYTES = 1 << 16  # compressed
_Error: type[Exception] = zlib_ng.error  # type: ignore[assignment]  # its stub says an instance
GZIP = 31  # zlib's window bits for gzip, whose checksum and length it checks


class Truncated(Exception):
    """The file ends within a member."""


class Damaged(Exception):
    """What follows is no gzip."""


def inflated(file: BufferedReader) -> Iterator[bytes]:
    """The content of a file or pipe.

    Raises:
        Truncated: if it ends too early.
        Damaged: if it cannot be decompressed.
    """
    member, begun = zlib_ng.decompressobj(wbits=GZIP), False
    while chunk := file.read1(CHUNK_BYTES):
        while chunk:
            yield from _pieces(member, chunk)
            chunk, begun = member.unused_data, True
            if member.eof:
                member, begun = zlib_ng.decompressobj(wbits=GZIP), False
                chunk = chunk.lstrip(b"\0")  # padding between members
    if begun:
        raise Truncated


def _pieces(member: Any, chunk: bytes) -> Iterator[bytes]:
    """What a chunk holds; where it is damaged, byte by byte up to there."""
    before = member.copy()
    try:
        yield member.decompress(chunk)
    except _Error:
        try:
            for place in range(len(chunk)):
                yield before.decompress(chunk[place : place + 1])
        except _Error as error:
            raise Damaged(str(error)) from None
