"""FASTQ files and pipes, plain or gzip, read record by record in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from common.program import BadInput
from fastq import MAX_LINE_BYTES, example, line_count
from inflate import Damaged, Truncated, inflate
from subsample import Subsample

BUFFER_BYTES = 1 << 17
_GZIP = b"\x1f\x8b"
_OTHER_COMPRESSIONS = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    **{bytes([first, 0x2A, 0x4D, 0x18]): "zstd" for first in range(0x50, 0x60)},  # RFC 8878, section 3.1.2: skippable
    b"\x1f\x9d": "compress",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
}
# bwa would write a file without alignments, and the caller a sample that equals the reference everywhere.
NO_READS = (
    "expected reads, found none: the file is empty; give the sample's reads, or leave this lane out of the sample sheet"
)


class FastqFile:
    """A FASTQ file or pipe, plain or gzip whatever its name; it is read once, from beginning to end.

    Args:
        path: Its path.
        pieces: FASTQ text of another source, which may be empty; messages name it by the path.
        fraction: The fraction of the reads to take; the others are passed over as if they were not there.

    Attributes:
        path: Its path.
        lines: The number of lines taken.
        size_bytes: The size of the file; 0 of a pipe, and of another source.

    Raises:
        BadInput: for a file of another compression.
    """

    def __init__(self, path: str, pieces: Iterator[bytes] | None = None, fraction: float = 1) -> None:
        self.path = path
        self.lines = 0
        self._may_be_empty = pieces is not None
        self._file: BufferedReader | None = None
        self.size_bytes = 0
        if pieces is None:
            self._file = open_file(path)
            pieces = file_pieces(self._file)
            self.size_bytes = Path(path).stat().st_size if Path(path).is_file() else 0
        self._subsample = Subsample(pieces, fraction, None if self._may_be_empty else path) if fraction < 1 else None
        self._pieces = self._subsample or pieces
        self._parts: list[bytes] = []  # of the text that was read ahead
        self._bytes, self._lines = 0, 0  # in it
        self._open_bytes = 0  # behind its last line end

    @property
    def records(self) -> int:
        """The number of records taken."""
        return (self.lines + 3) // 4

    @property
    def read_bytes(self) -> int:
        """The bytes of the file that were read; 0 of a pipe, and of another source."""
        return self._file.tell() if self._file and self.size_bytes else 0

    @property
    def left_out_s(self) -> float:
        """The processor seconds so far that the reads passed over took."""
        return self._subsample.left_out_s if self._subsample else 0.0

    def available(self, records: int, max_bytes: int) -> int:
        """Read ahead, and return how many of the next records have about so many bytes; at least one.

        At the end of the file that is the number asked for, although there are fewer.

        Raises:
            BadInput: for an empty file, gzip that is truncated or damaged, and a line that is too long.
        """
        while self._lines < 4 or (self._lines < 4 * records and self._bytes < max_bytes):
            piece = self._read()
            if not piece:
                return records
            self._add(piece)
        within = self._joined().count(b"\n", 0, max_bytes) if self._bytes > max_bytes else self._lines
        return min(records, max(1, within // 4))

    def peek(self, records: int) -> bytes:
        """Return the text of the next records, fewer at the end, without taking them.

        Raises:
            BadInput: See `available`.
        """
        while self._lines < 4 * records and (piece := self._read()):
            self._add(piece)
        if self.lines == 0 and not self._bytes and not self._may_be_empty:
            raise BadInput(f"{self.path}: {NO_READS}")
        text = self._joined()
        rest = text.split(b"\n", 4 * records)[4 * records :]
        return text[: len(text) - len(rest[0])] if rest else text

    def take(self, records: int) -> bytes:
        """Take the next records, fewer at the end, and return their text.

        Raises:
            BadInput: See `available`.
        """
        text = self.peek(records)
        lines = min(4 * records, self._lines) if text.endswith(b"\n") else line_count(text)
        self._parts = [self._joined()[len(text) :]]
        self._bytes -= len(text)
        self._lines -= min(lines, self._lines)  # the last line of the file may lack its end
        self.lines += lines
        return text

    def _joined(self) -> bytes:
        """Return the text that was read ahead."""
        if len(self._parts) != 1:
            self._parts = [b"".join(self._parts)]
        return self._parts[0]

    def _add(self, piece: bytes) -> None:
        """Add a piece to the text that was read ahead.

        Raises:
            BadInput: if it continues a line that is too long.
        """
        first = piece.find(b"\n")
        if self._open_bytes + (len(piece) if first < 0 else first) > MAX_LINE_BYTES:
            line = example((self._joined() + piece)[self._bytes - self._open_bytes :])
            expected = f"expected lines of at most {MAX_LINE_BYTES >> 20} MiB"
            raise self._error(f"{expected} (bwa mem aligns reads of up to a million bases), found one: {line}")
        self._parts.append(piece)
        self._bytes += len(piece)
        self._lines += piece.count(b"\n")
        self._open_bytes = self._open_bytes + len(piece) if first < 0 else len(piece) - piece.rfind(b"\n") - 1

    def _read(self) -> bytes:
        """Return the next piece of the text, empty at the end of the file."""
        try:
            return next((piece for piece in self._pieces if piece), b"")
        except Truncated:
            raise self._error("expected a whole gzip file, found its end: the file is truncated") from None
        except Damaged as error:
            raise self._error(f"expected a whole gzip file, found damage: {error}") from None

    def _error(self, message: str) -> BadInput:
        """Return the error of the record that was being read."""
        number = self.records + self._lines // 4 + 1
        return BadInput(f"{self.path}: record {number}: {message}")


def open_file(path: str) -> BufferedReader:
    """Open a file or pipe.

    Raises:
        BadInput: for a file of another compression.
    """
    file = Path(path).open("rb")  # noqa: SIM115  # open as long as the step reads
    start = file.peek(1)
    if other := next((name for first, name in _OTHER_COMPRESSIONS.items() if start.startswith(first)), None):
        advice = "decompress it, or compress it with gzip"
        raise BadInput(f"{path}: expected a plain or gzip file, found {other}; {advice}")
    return file


def file_pieces(file: BufferedReader) -> Iterator[bytes]:
    """Return the decompressed content of a file or pipe in pieces."""
    return inflate(file) if file.peek(1)[:2] == _GZIP else iter(lambda: file.read1(BUFFER_BYTES), b"")
