"""The first line of a FASTQ record: the read's name, and the number of its mate and lane where it has them."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Illumina's comments, "1:N:0:ATCACG": the number of the read, whether it was filtered, control bits, barcode.
_ILLUMINA_COMMENT = re.compile(rb"([1-4]):[YN]:(?:\d+:([ACGTN]+(?:[+-][ACGTN]+)?)?)?")
_LANE_FIELD = {7: 3, 5: 1}  # by the number of fields: instrument:run:flowcell:lane:tile:x:y, instrument:lane:tile:x:y
_UNIQUE_DIGITS = 8
_MGI_LANE = re.compile(r"L(\d)C\d{3}R\d{3}")


@dataclass(frozen=True, slots=True)
class ReadHeader:
    """The first line of a FASTQ record.

    Attributes:
        name: The read's name, which its mate has too: without ``/1`` and comment.
        mate: 1 for a first read, 2 for its mate; None where the line does not say it.
        index: The bases of the sample's index, or of two joined by ``+``; None where the line does not say it.
    """

    name: str
    mate: int | None
    index: str | None = None

    @property
    def is_unique(self) -> bool:
        """True for a name that two sequencing runs will not have: of instruments and archives, unlike ``r1``."""
        return sum(letter.isdigit() for letter in self.name) >= _UNIQUE_DIGITS

    @property
    def lane(self) -> str | None:
        """The number of the flow cell's lane; None where the name does not hold it.

        >>> ReadHeader("A00:1:H7:2:1101:1:2", None).lane, ReadHeader("V350L1C001R0010000001", 1).lane
        ('2', '1')
        """
        fields = self.name.split(":")
        if place := _LANE_FIELD.get(len(fields)):
            return fields[place]
        match = _MGI_LANE.search(self.name)
        return match[1] if match else None


def parse_header(line: bytes) -> ReadHeader | None:
    """Return what a record's first line says; None if it is no such line.

    >>> parse_header(b"@r7/2"), parse_header(b"@r7 1:N:0:ATCACG"), parse_header(b">r7")
    (ReadHeader(name='r7', mate=2, index=None), ReadHeader(name='r7', mate=1, index='ATCACG'), None)
    """
    words = line[1:].split(None, 1)
    if not line.startswith(b"@") or not words:
        return None
    name, mate, index = words[0], None, None
    if name[-2:] in (b"/1", b"/2"):
        name, mate = name[:-2], int(name[-1:])
    elif len(words) == 2 and (match := _ILLUMINA_COMMENT.match(words[1])):
        mate, index = int(match[1]), match[2].decode() if match[2] else None
    return ReadHeader(name.decode("latin-1"), mate, index) if name else None


def mates_problem(first: ReadHeader, second: ReadHeader) -> str | None:
    """Return why two reads are no mates; None if they may be.

    >>> mates_problem(ReadHeader("r1", 1), ReadHeader("r2", 2))
    'expected the mate of r1, found r2'
    """
    if first.name != second.name:
        return f"expected the mate of {first.name}, found {second.name}"
    if first.mate and second.mate and first.mate >= second.mate:
        found = "the same reads again" if first.mate == second.mate else "the first ones: interchange the two"
        return f"expected the second reads, after reads numbered {first.mate}, found {found}"
    return None
