"""FASTQ files: their lines, and records parsed from them; every problem is reported with its file and record number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

from common.program import BadInput
from inflate import Damaged, Truncated, inflate

LOWEST_PHRED64 = ord(";")  # Solexa's -5; Phred+33 files go below it
HIGHEST_PHRED33 = ord("K")  # 42, Illumina's highest
LONGEST_NAME = 254  # in BAM
EXAMPLE_LENGTH = 40
BUFFER_BYTES = 1 << 17
# bwa would write a file without alignments, and the caller a sample that equals the reference everywhere.
NO_READS = (
    "expected reads, found none: the file is empty; give the sample's reads, or leave this lane out of the sample sheet"
)
VISIBLE = bytes(range(ord("!"), ord("~") + 1))


class Reads(NamedTuple):
    """Records, by column.

    Attributes:
        names: Their names.
        lengths: Their numbers of bases.
        bases: Their bases.
        qualities: Their qualities, as written.
    """

    names: list[bytes]
    lengths: list[int]
    bases: list[bytes]
    qualities: list[bytes]


class FastqFile:
    """A FASTQ file or pipe, plain or gzip whatever its name; it is read once, from beginning to end.

    Attributes:
        path: Its path.
        lines: The number of lines taken.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.lines = 0
        file = Path(path).open("rb")  # noqa: SIM115  # open as long as the step reads
        compressed = file.peek(2)[:2] == b"\x1f\x8b"
        self._pieces = inflate(file) if compressed else iter(lambda: file.read1(BUFFER_BYTES), b"")
        self._buffer, self._lines = b"", 0

    @property
    def records(self) -> int:
        """The number of records taken."""
        return (self.lines + 3) // 4

    def peek(self, records: int) -> bytes:
        """Return the text of the next records, fewer at the end, without taking them.

        Raises:
            BadInput: for an empty file, and gzip that is truncated or damaged.
        """
        while self._lines < 4 * records and (piece := self._read()):
            self._buffer += piece
            self._lines += piece.count(b"\n")
        if self.lines == 0 and not self._buffer:
            raise BadInput(f"{self.path}: {NO_READS}")
        rest = self._buffer.split(b"\n", 4 * records)[4 * records :]
        return self._buffer[: len(self._buffer) - len(rest[0])] if rest else self._buffer

    def take(self, records: int) -> bytes:
        """Take the next records, fewer at the end, and return their text.

        Raises:
            BadInput: See `peek`.
        """
        text = self.peek(records)
        lines = line_count(text)
        self._buffer = self._buffer[len(text) :]
        self._lines -= min(lines, self._lines)  # the last line of the file may lack its end
        self.lines += lines
        return text

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


def line_count(text: bytes) -> int:
    r"""Count the lines of a text, whose last one may lack its end.

    >>> line_count(b"@a\nAC"), line_count(b"@a\nAC\n")
    (2, 2)
    """
    return text.count(b"\n") + (not text.endswith(b"\n") and bool(text))


def parse_records(text: bytes, path: str, first: int) -> Reads:
    """Parse records, and strip ``/1``, ``/2`` and comments from their names.

    Args:
        text: Whole lines.
        path: The file, for messages.
        first: Number of the first record, from 1.

    Raises:
        BadInput: for the first record that is not FASTQ.
    """
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    lines = text.removesuffix(b"\n").split(b"\n")
    headers, bases, separators, qualities = (lines[place::4] for place in range(4))
    names, lengths = _names(headers), list(map(len, bases))
    valid = (
        len(lines) % 4 == 0
        and all(map(bytes.startswith, headers, repeat(b"@")))
        and all(map(bytes.startswith, separators, repeat(b"+")))
        and lengths == list(map(len, qualities))
        and all(names)
        and max(map(len, names)) <= LONGEST_NAME
        and _are_bases(b"".join(bases))
        and _are_qualities(b"".join(qualities))
    )
    if not valid:
        raise BadInput(_first_problem(lines, path, first))
    if first == 1:
        _refuse_phred64(b"".join(qualities), path)
    return Reads(names, lengths, bases, qualities)


def read_name(line: bytes) -> bytes:
    """Return the name in a record's first line.

    >>> read_name(b"@A00:1:FC:1:1101:1:2/1 1:N:0:AC")
    b'A00:1:FC:1:1101:1:2'
    """
    name = line[1:].split(maxsplit=1)[0] if line[1:].strip() else b""
    return name[:-2] if name[-2:] in (b"/1", b"/2") else name


def _names(headers: Sequence[bytes]) -> list[bytes]:
    """Return the `read_name` of each line; empty if there is none."""
    words = [header[1:].split(None, 1) for header in headers]
    if b"/" in b"".join(headers) or not all(words):
        return list(map(read_name, headers))
    return [word[0] for word in words]


def _refuse_phred64(qualities: bytes, path: str) -> None:
    if qualities and min(qualities) >= LOWEST_PHRED64 and max(qualities) > HIGHEST_PHRED33:
        span = f"{chr(min(qualities))!r} to {chr(max(qualities))!r}"
        message = f"expected Phred+33 qualities, found {span} in the first records: Phred+64; convert the file"
        raise BadInput(f"{path}: record 1: {message}")


def _first_problem(lines: Sequence[bytes], path: str, first: int) -> str:
    for place in range(0, len(lines), 4):
        if message := _record_problem(lines[place : place + 4]):
            return f"{path}: record {first + place // 4}: {message}"
    raise AssertionError("every record is valid")


def _record_problem(lines: Sequence[bytes]) -> str | None:
    name = read_name(lines[0])
    if not lines[0].startswith(b"@") or not name:
        return f"expected FASTQ ('@' and a name), found {_example(lines[0])}"
    if len(name) > LONGEST_NAME:
        return f"expected a name of at most {LONGEST_NAME} characters, found {len(name)}: {_example(name)}"
    if len(lines) < 4:
        return f"expected 4 lines, found {len(lines)}: the file is truncated"
    if not lines[2].startswith(b"+"):
        return f"expected '+' on the third line, found {_example(lines[2])}"
    if len(lines[1]) != len(lines[3]):
        return f"expected {len(lines[1])} qualities, as many as bases, found {len(lines[3])}"
    if not _are_bases(lines[1]):
        return f"expected bases (letters), found {_example(lines[1])}"
    if not _are_qualities(lines[3]):
        return f"expected qualities (visible characters), found {_example(lines[3])}"
    return None


def _are_bases(text: bytes) -> bool:
    """Check that all are letters, or the dots that old sequencers wrote for N."""
    plain = text.replace(b".", b"N")
    return not plain or plain.isalpha()


def _are_qualities(text: bytes) -> bool:
    return not text.translate(None, VISIBLE)


def _example(line: bytes) -> str:
    return repr(line[:EXAMPLE_LENGTH].decode("latin-1").encode("ascii", "replace").decode())
