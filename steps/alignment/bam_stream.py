"""The header at the beginning of a BAM stream, which is read once."""

from __future__ import annotations

from struct import Struct
from typing import Protocol

_SIZE = Struct("<i")
_MAGIC = b"BAM\1"


class Stream(Protocol):
    """A stream of bytes, such as `pysam.BGZFile`."""

    def read(self, size: int) -> bytes:
        """Return so many of the next bytes, fewer at the end."""


def read_header(stream: Stream) -> str | None:
    """Read the magic number, the text and the sequences (SAM specification, 4.2), and return the text.

    Returns None where the stream does not begin as BAM does.
    """
    if stream.read(len(_MAGIC)) != _MAGIC:
        return None
    text: bytes = stream.read(_integer(stream))
    for _ in range(_integer(stream)):
        stream.read(_integer(stream) + _SIZE.size)
    return text.rstrip(b"\0").decode("utf-8", "replace")


def _integer(stream: Stream) -> int:
    return int(_SIZE.unpack(stream.read(_SIZE.size))[0])
