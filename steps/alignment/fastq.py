"""FASTQ files read fast, and slowly again where something is wrong, to say what and where."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, cast

import pysam

CHECKED_RECORDS = 1000
PHRED33_ONLY = ":"  # no quality of Phred+64 (or Solexa) files is this low; every Phred+33 file of that length has some
EXAMPLE_LENGTH = 40

Records = Iterator[pysam.FastxRecord]


class BadReads(Exception):
    """A FASTQ file that cannot be used: the message names the file and the record."""


def read(path: str) -> Records:
    """The records of a FASTQ file, plain or gzip; names without ``/1`` and ``/2``.

    Raises:
        BadReads: for the first thing that is wrong; there is an end or an error, never a silent stop.
    """
    number = 0
    _refuse_other_formats(path)
    with pysam.FastxFile(path) as records:
        low = "~"
        try:
            for number, record in enumerate(records, 1):  # told in the errors below
                if record.quality is None or record.name is None:
                    raise ValueError
                if number <= CHECKED_RECORDS:
                    low = min(low, min(record.quality, default="~"))
                if record.name[-2:] in ("/1", "/2"):
                    record.set_name(record.name[:-2])
                yield record
        except (ValueError, UnicodeDecodeError):
            raise BadReads(diagnosis(path) or f"{path}: record {number + 1}: expected FASTQ") from None
    if number == 0:
        raise BadReads(f"{path}: expected reads, found an empty file")
    if low > PHRED33_ONLY and number >= CHECKED_RECORDS:
        raise BadReads(_wrong_encoding(path, low))


def _refuse_other_formats(path: str) -> None:
    """Look at the beginning: the fast reader skips what stands before the first ``@``, and takes FASTA too."""
    try:
        with _opened(path) as stream:
            lines = list(islice(cast(Iterator[bytes], stream), 4 * CHECKED_RECORDS))
    except (EOFError, OSError, zlib.error):
        lines = []  # the fast reader will come to it, at its record
    if lines and not lines[0].startswith(b"@"):
        raise BadReads(f"{path}: record 1: expected FASTQ ('@' and a name), found {_example(lines[0])}")
    low = min((min(line.rstrip(), default=126) for line in lines[3::4]), default=33)
    if low > ord(PHRED33_ONLY) and len(lines) >= 4:
        raise BadReads(_wrong_encoding(path, chr(low)))


def _wrong_encoding(path: str, low: str) -> str:
    return (
        f"{path}: record 1: expected Phred+33 qualities, found none below {low!r} in the first records: "
        f"Phred+64; convert the file"
    )


def diagnosis(path: str) -> str | None:
    """What is wrong with a file that the fast reader refused, and at which record; slow but exact."""
    number = 1
    try:
        with _opened(path) as stream:
            while lines := list(islice(cast(Iterator[bytes], stream), 4)):
                if message := _record_misfit([line.rstrip(b"\r\n") for line in lines]):
                    return f"{path}: record {number}: {message}"
                number += 1
    except EOFError:
        return f"{path}: record {number}: expected a whole gzip file, found its end: the file is truncated"
    except (OSError, zlib.error) as error:
        return f"{path}: record {number}: expected a whole gzip file, found damage: {error}"
    return None


def _record_misfit(lines: list[bytes]) -> str | None:
    if not lines[0].startswith(b"@"):
        return f"expected '@' and a name, found {_example(lines[0])}"
    if len(lines) < 4:
        return f"expected 4 lines, found {len(lines)}: the file is truncated"
    if not lines[2].startswith(b"+"):
        return f"expected '+' on the third line, found {_example(lines[2])}"
    if len(lines[1]) != len(lines[3]):
        return f"expected {len(lines[1])} qualities, as many as bases, found {len(lines[3])}"
    return None


def _opened(path: str) -> IO[bytes]:
    with Path(path).open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if zipped else Path(path).open("rb")


def _example(line: bytes) -> str:
    return repr(line[:EXAMPLE_LENGTH].decode("ascii", "replace").rstrip())
