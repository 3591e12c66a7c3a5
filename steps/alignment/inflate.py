"""gzip files of one or more members, piece by piece: all content before an error comes before it is raised."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from typing import Any

from zlib_ng import zlib_ng

CHUNK_BYTES = 1 << 16  # compressed
_Error: type[Exception] = zlib_ng.error  # type: ignore[assignment]  # the stub declares an instance
GZIP = 31  # zlib's window bits for gzip, whose checksum and length it checks


class Truncated(Exception):
    """A file that ends within a member."""


class Damaged(Exception):
    """Data that is not gzip."""


def inflate(file: BufferedReader) -> Iterator[bytes]:
    """Yield the content of a file or pipe.

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
    """Yield the content of a chunk; of a damaged one, byte by byte up to the damage."""
    before = member.copy()
    try:
        yield member.decompress(chunk)
    except _Error:
        try:
            for place in range(len(chunk)):
                yield before.decompress(chunk[place : place + 1])
        except _Error as error:
            raise Damaged(str(error)) from None
