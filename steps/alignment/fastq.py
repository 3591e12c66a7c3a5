"""FASTQ files as lines, and lines as records; whatever is wrong is told with its file and record number."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice, repeat
from pathlib import Path

import pysam

LOWEST_PHRED64 = ";"  # Solexa's -5; Phred+33 files go below it
HIGHEST_PHRED33 = "K"  # 42, Illumina's highest
EXAMPLE_LENGTH = 40
BUFFER_BYTES = 1 << 17
VISIBLE = bytes(range(ord("!"), ord("~") + 1))


class BadReads(Exception):
    """A FASTQ file that cannot be used: the message names the file and the record."""


class FastqFile:
    """One file, plain or gzip whatever its name, read from its beginning.

    Attributes:
        path: Its path.
        records: How many records were taken.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.records = 0
        with Path(path).open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        # A buffer of C's around Python's gzip halves the cost of a line.
        opened = gzip.open if zipped else open
        self._lines: Iterator[bytes] = iter(io.BufferedReader(opened(path, "rb"), BUFFER_BYTES))

    def take(self, records: int) -> list[bytes]:
        """The lines of so many records, fewer at the end.

        Raises:
            BadReads: for gzip that is truncated or damaged.
        """
        lines: list[bytes] = []
        try:
            lines.extend(islice(self._lines, 4 * records))
        except EOFError:
            raise self._bad("expected a whole gzip file, found its end: the file is truncated") from None
        except (OSError, zlib.error) as error:
            raise self._bad(f"expected a whole gzip file, found damage: {error}") from None
        if self.records == 0 and not lines:
            raise BadReads(f"{self.path}: expected reads, found an empty file")
        self.records += (len(lines) + 3) // 4
        return lines

    def _bad(self, message: str) -> BadReads:
        """The error, with the record it stands in: read again line by line, as the buffer lost the last of them."""
        lines = 0
        with gzip.open(self.path) as stream, suppress(EOFError, OSError, zlib.error):
            for lines, _ in enumerate(stream, 1):  # noqa: B007  # counted as far as it goes
                pass
        return BadReads(f"{self.path}: record {lines // 4 + 1}: {message}")


def parse(text: bytes, path: str, first: int) -> list[pysam.FastxRecord]:
    """The records of some lines; names without ``/1``, ``/2`` and comments.

    Args:
        text: Whole lines.
        path: The file, for messages.
        first: Number of the first record, from 1.

    Raises:
        BadReads: for the first record that is none.
    """
    lines = text.decode("latin-1").replace("\r\n", "\n").removesuffix("\n").split("\n")
    heads, bases, signs, qualities = (lines[place::4] for place in range(4))
    names = list(map(read_name, heads))
    sound = (
        len(lines) % 4 == 0
        and all(map(str.startswith, heads, repeat("@")))
        and all(map(str.startswith, signs, repeat("+")))
        and list(map(len, bases)) == list(map(len, qualities))
        and all(names)
        and _are_bases("".join(bases))
        and _are_qualities("".join(qualities))
    )
    if not sound:
        raise BadReads(_first_misfit(lines, path, first))
    if first == 1:
        _refuse_phred64("".join(qualities), path)
    return [
        pysam.FastxRecord(name=name, sequence=sequence, quality=quality)
        for name, sequence, quality in zip(names, bases, qualities, strict=True)
    ]


def read_name(line: str) -> str:
    """The name in a record's first line.

    >>> read_name("@A00:1:FC:1:1101:1:2/1 1:N:0:AC")
    'A00:1:FC:1:1101:1:2'
    """
    name = line[1:].split(maxsplit=1)[0] if len(line) > 1 else ""
    return name[:-2] if name[-2:] in ("/1", "/2") else name


def _refuse_phred64(qualities: str, path: str) -> None:
    if qualities and min(qualities) >= LOWEST_PHRED64 and max(qualities) > HIGHEST_PHRED33:
        span = f"{min(qualities)!r} to {max(qualities)!r}"
        message = f"expected Phred+33 qualities, found {span} in the first records: Phred+64; convert the file"
        raise BadReads(f"{path}: record 1: {message}")


def _first_misfit(lines: Sequence[str], path: str, first: int) -> str:
    for place in range(0, len(lines), 4):
        if message := _record_misfit(lines[place : place + 4]):
            return f"{path}: record {first + place // 4}: {message}"
    raise AssertionError("every record is sound")


def _record_misfit(lines: Sequence[str]) -> str | None:
    if not lines[0].startswith("@") or not read_name(lines[0]):
        return f"expected FASTQ ('@' and a name), found {_example(lines[0])}"
    if len(lines) < 4:
        return f"expected 4 lines, found {len(lines)}: the file is truncated"
    if not lines[2].startswith("+"):
        return f"expected '+' on the third line, found {_example(lines[2])}"
    if len(lines[1]) != len(lines[3]):
        return f"expected {len(lines[1])} qualities, as many as bases, found {len(lines[3])}"
    if not _are_bases(lines[1]):
        return f"expected bases (letters), found {_example(lines[1])}"
    if not _are_qualities(lines[3]):
        return f"expected qualities (visible characters), found {_example(lines[3])}"
    return None


def _are_bases(text: str) -> bool:
    """Letters, and the dots that old sequencers wrote for N; in bytes, which is four times as fast."""
    plain = text.encode("latin-1").replace(b".", b"N")
    return not plain or plain.isalpha()


def _are_qualities(text: str) -> bool:
    return not text.encode("latin-1").translate(None, VISIBLE)


def _example(line: str) -> str:
    return repr(line[:EXAMPLE_LENGTH].encode("ascii", "replace").decode())
