"""The sorted stream of alignments, read from a pipe and copied to other programs on the way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from struct import Struct

from zlib_ng import zlib_ng

READ_BYTES = 1 << 18
_HEAD = Struct("<4s6xH2sHH")  # of a BGZF block as htslib writes it (SAM specification, 4.1)
_KIND, _EXTRA_BYTES, _FIELD, _FIELD_BYTES = b"\x1f\x8b\x08\x04", 6, b"BC", 2
_TAIL_BYTES = 8  # checksum and length
_PLAIN = b"BAM\1"  # the beginning of a BAM stream without blocks
_RAW = -15  # zlib's window bits for data without a head


class CopiedStream:
    """The content of a BAM stream, in blocks of BGZF or without, which is also copied, without blocks.

    Checksums are not compared: the stream comes from a pipe, and is hardly compressed.

    Args:
        source: The descriptor to read.
        targets: The descriptors to write to.
    """

    def __init__(self, source: int, targets: Sequence[int]) -> None:
        self._source, self._targets = source, targets
        self._is_plain = False
        self._open = b""  # the beginning of a block
        self._content = b""

    def read(self, size: int) -> bytes:
        """Return so many of the next bytes of the content, fewer at its end.

        Raises:
            OSError: for a stream that is cut off.
        """
        parts, length = [self._content], len(self._content)
        while length < size and (piece := os.read(self._source, READ_BYTES)):
            content = b"".join(self._blocks(self._open + piece))
            self._copy(content)
            parts.append(content)
            length += len(content)
        if length < size and self._open:
            raise OSError("sorted alignments: expected whole blocks, found one that is cut off")
        content = b"".join(parts)
        self._content = content[size:]
        return content[:size]

    def _copy(self, piece: bytes) -> None:
        for target in self._targets:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(target, rest) :]

    def _blocks(self, data: bytes) -> list[bytes]:
        """Return the content of all whole blocks, and keep the rest."""
        self._is_plain = self._is_plain or data.startswith(_PLAIN)
        if self._is_plain:
            self._open = b""
            return [data]
        contents, begin = [], 0
        while len(data) - begin >= _HEAD.size:
            kind, extra, field, field_bytes, size = _HEAD.unpack_from(data, begin)
            if (kind, extra, field, field_bytes) != (_KIND, _EXTRA_BYTES, _FIELD, _FIELD_BYTES):
                raise OSError("sorted alignments: expected a block of BGZF, found something else")
            end = begin + size + 1
            if end > len(data):
                break
            contents.append(zlib_ng.decompress(data[begin + _HEAD.size : end - _TAIL_BYTES], _RAW, 1 << 16))
            begin = end
        self._open = data[begin:]
        return contents
