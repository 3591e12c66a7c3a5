"""Decompression of gzip files, of any number of members, in pieces; an error is raised after all content before it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from typing import Any

from zlib_ng import zlib_ng

CHUNK_BYTES = 1 << 16  # of compressed data, read at a time
PIECE_BYTES = 1 << 20  # of its content, so that a chunk that holds a thousandfold of itself is given out in parts
_Error: type[Exception] = zlib_ng.error  # type: ignore[assignment]  # the stub declares an instance
GZIP = 31  # zlib's window bits for gzip, whose checksum and length it checks


class Truncated(Exception):
    """The error of a file that ends within a member."""


class Damaged(Exception):
    """The error of data that is not gzip."""


def inflate(file: BufferedReader) -> Iterator[bytes]:
    """Yield the decompressed content of a file or pipe.

    Raises:
        Truncated: if it ends too early.
        Damaged: if it cannot be decompressed.
    """
    member, started = zlib_ng.decompressobj(wbits=GZIP), False
    while chunk := file.read1(CHUNK_BYTES):
        while chunk:
            yield from _pieces(member, chunk)
            chunk, started = member.unused_data, True
            if member.eof:
                member, started = zlib_ng.decompressobj(wbits=GZIP), False
                chunk = chunk.lstrip(b"\0")  # padding between members
    if started:
        raise Truncated


def _pieces(member: Any, chunk: bytes) -> Iterator[bytes]:
    """Yield the content of a chunk; of a damaged one, what comes before the damage."""
    copy, given = member.copy(), 0
    try:
        for piece in _bounded_pieces(member, chunk):
            yield piece
            given += len(piece)
    except _Error:
        try:
            for place in range(len(chunk)):
                for piece in _bounded_pieces(copy, chunk[place : place + 1]):
                    yield piece[given:]
                    given = max(0, given - len(piece))
        except _Error as error:
            raise Damaged(str(error)) from None


def _bounded_pieces(member: Any, chunk: bytes) -> Iterator[bytes]:
    """Yield the content of a chunk in pieces of at most `PIECE_BYTES`."""
    piece = member.decompress(chunk, PIECE_BYTES)
    yield piece
    while not member.eof and (member.unconsumed_tail or len(piece) == PIECE_BYTES):  # at the end, the tail may remain
        piece = member.decompress(member.unconsumed_tail, PIECE_BYTES)
        yield piece
