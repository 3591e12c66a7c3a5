"""A file of reads that is read in parts: what it is, and its first records."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from common.fastq_head import FastqHead, UnusableReads, head_of
from file_kinds import compression_problem, content_problem, is_bgzf

PART_BYTES = 1 << 20
HEAD_BYTES = 16 << 20  # of decompressed records, of long reads or where the encoding is doubtful
GZIP = b"\x1f\x8b"
START_BYTES = 512  # of the content, by which its kind is recognised


class PartStream(io.RawIOBase):
    """A file as a stream, read in parts of `PART_BYTES`.

    Args:
        file: The file.
    """

    def __init__(self, file: ReadsFile) -> None:
        self._file = file
        self._place = 0

    def readable(self) -> bool:
        """Return True, as a stream that can be read must."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer from the present part, and return the number of bytes."""
        number, start = divmod(self._place, PART_BYTES)
        piece = self._file.part(number)[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)


class ReadsFile:
    """A file of reads.

    Args:
        batch: Opens files.
        uri: The path or URI.

    Attributes:
        size_bytes: Its size.
    """

    def __init__(self, batch: Any, uri: str) -> None:
        self._file = batch.file(uri)
        self.size_bytes: int = self._file.size_bytes
        self._parts: dict[int, bytes] = {}

    def part(self, number: int) -> bytes:
        """Return a part; the first one, and the one read last, are kept."""
        if number not in self._parts:
            self._parts = {0: self._parts[0]} if 0 in self._parts else {}
            self._parts[number] = self._file.read(number * PART_BYTES, PART_BYTES)
        return self._parts[number]

    def tail(self, size_bytes: int) -> bytes:
        """Return the end of the file."""
        start = max(0, self.size_bytes - size_bytes)
        if self.size_bytes <= PART_BYTES:
            return self.part(0)[start:]
        data: bytes = self._file.read(start, size_bytes)
        return data

    @property
    def compression(self) -> str:
        """The compression: ``none``, ``gzip``, or ``bgzf``, gzip in blocks."""
        start = self.part(0)
        return "none" if not start.startswith(GZIP) else "bgzf" if is_bgzf(start) else "gzip"

    def content(self) -> io.BufferedReader:
        """Return the content as a stream, decompressed."""
        raw = io.BufferedReader(PartStream(self), PART_BYTES)
        return raw if self.compression == "none" else gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]

    def head(self, records: int) -> FastqHead:
        """Return the first records; fewer where the file or `HEAD_BYTES` end.

        Raises:
            UnusableReads: for a file of another kind, a damaged one, or a line that is too long.
            OSError: for one that cannot be read.
        """
        if self.size_bytes and (message := compression_problem(self.part(0))):
            raise UnusableReads(message)
        with reported_damage():
            if self.size_bytes and (message := content_problem(self.content().read(START_BYTES))):
                raise UnusableReads(message)
            return head_of(self.content(), records, HEAD_BYTES)


@contextmanager
def reported_damage() -> Iterator[None]:
    """Raise errors of decompression as a message for the user, in the words of the checks before a run.

    Raises:
        UnusableReads: for a file that is truncated or damaged.
    """
    try:
        yield
    except gzip.BadGzipFile as error:
        is_other = "Not a gzipped file" in str(error)
        found = "other bytes behind it" if is_other else "content that its checksum does not fit"
        raise UnusableReads(f"expected a whole gzip file, found {found}; transfer it again") from None
    except (EOFError, zlib.error) as error:
        raise UnusableReads(f"expected a whole gzip file: {error}") from None
