"""Compressed content, recognised by its first bytes and decompressed piece by piece, each of a bounded size."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.compression import LONGEST_START, compression_of
from genomics_pipeline.stores.gunzip import gunzip, steps

PIECE_BYTES = 1 << 20
# 3 bytes of zstandard may stand for a block of 128 KiB: so much of it decompresses to at most 90 MiB.
_ZSTANDARD_BYTES = 2048

KNOWN = ("gzip", "bzip2", "xz", "zstd")
DAMAGE = (EOFError, zlib.error, lzma.LZMAError, OSError)


def decompressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield content in pieces, decompressed where its first bytes show gzip, bzip2, xz or zstandard.

    Args:
        pieces: The content as it is stored.

    Raises:
        DataError: for content that is truncated or damaged, or needs too much memory.
    """
    pieces = iter(pieces)
    start = b""
    while len(start) < LONGEST_START and (piece := next(pieces, None)) is not None:
        start += piece
    whole = chain([start] if start else [], pieces)
    name = compression_of(start)
    if name not in (None, *KNOWN):
        raise DataError(f"expected a plain file, or one compressed with {', '.join(KNOWN)}; found {name}")
    try:
        if name == "gzip":
            yield from gunzip(whole)
        elif name == "bzip2":
            yield from _in_steps(steps(whole), bz2.BZ2Decompressor)
        elif name == "xz":
            yield from _in_steps(
                steps(whole), partial(lzma.LZMADecompressor, memlimit=budgets.DECOMPRESSION_MEMORY.value)
            )
        elif name == "zstd":
            yield from zstandard_blocks(whole)
        else:
            yield from whole
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno:  # of the file or the server, not of its content
            raise
        raise DataError(f"expected a whole compressed file: {error}") from None


def _in_steps(pieces: Iterable[bytes], new_decompressor: Any) -> Iterator[bytes]:
    """Yield the content of one stream after the other, in steps of at most `PIECE_BYTES`."""
    one = new_decompressor()
    for piece in pieces:
        data = piece
        while data or not (one.eof or one.needs_input):
            if one.eof:
                data = data.lstrip(b"\0")  # with which a file may be padded
                if not data:
                    break
                one = new_decompressor()
            block = one.decompress(data, PIECE_BYTES)
            data = one.unused_data
            if block:
                yield block
    if not one.eof:
        raise EOFError("Compressed file ended before the end-of-stream marker was reached")


def zstandard_blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress frames one by one, because the stream reader of zstandard takes a truncated file for a whole one.

    Raises:
        OSError: if the content is not zstandard's.
        EOFError: if it is truncated.
    """
    import zstandard

    new_frame = zstandard.ZstdDecompressor(max_window_size=budgets.DECOMPRESSION_MEMORY.value).decompressobj
    frame = new_frame()
    for piece in pieces:
        for start in range(0, len(piece), _ZSTANDARD_BYTES):
            rest = piece[start : start + _ZSTANDARD_BYTES]
            while rest:
                if frame.eof:
                    frame = new_frame()
                try:
                    block = frame.decompress(rest)
                except zstandard.ZstdError as error:
                    raise OSError(str(error)) from error
                rest = frame.unused_data
                if block:
                    yield block
    if not frame.eof:
        raise EOFError("Compressed file ended before the end-of-stream marker was reached")
