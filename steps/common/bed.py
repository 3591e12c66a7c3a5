"""Regions of BED files."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO, cast

from common.program import BadInput

LONGEST_NUMBER = 18  # digits of a position in a BED file
SHOWN_CHARACTERS = 60  # of a line, in messages


class Region(NamedTuple):
    """Bases [start, end) of a contig, counted from 0, and columns 4 and 6, empty where there are none."""

    contig: str
    start: int
    end: int
    name: str = ""
    strand: str = ""


def read_regions(path: str, contigs: Mapping[str, int]) -> list[Region]:
    """Read the regions of a BED file, sorted in the reference's order by start and end.

    Args:
        path: The file.
        contigs: The length of each contig in bp, by name, in the reference's order.

    Raises:
        BadInput: for a file that is not BED, with the line that is no region of the reference.
    """
    rank = {contig: index for index, contig in enumerate(contigs)}
    regions = []
    try:
        with open_bed(path) as lines:
            for number, line in enumerate(lines, 1):
                if line.strip() and line.split()[0] not in ("track", "browser") and not line.startswith("#"):
                    regions.append(_region(line.rstrip("\r\n"), f"{path}:{number}", contigs))
    except (OSError, EOFError, zlib.error):
        raise BadInput(f"{path}: expected a BED file, found none that can be read") from None
    if not regions:
        raise BadInput(f"{path}: expected regions, found none")
    return sorted(regions, key=lambda region: (rank[region.contig], region.start, region.end))


def open_bed(path: str) -> TextIO:
    """Open a BED file, which is decompressed if its first bytes are those of gzip, whatever its name.

    Names and comments may have any encoding.
    """
    with Path(path).open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    stream = cast(BinaryIO, gzip.open(path)) if compressed else Path(path).open("rb")  # noqa: SIM115  # by its wrapper
    return TextIOWrapper(stream, "utf-8", "backslashreplace", newline="\n")


def _region(line: str, place: str, contigs: Mapping[str, int]) -> Region:
    fields = line.split("\t") if "\t" in line else line.split()
    if len(fields) < 3 or not all(_is_number(field.strip()) for field in fields[1:3]):
        raise BadInput(f"{place}: expected contig, start and end between tabs, found {line[:SHOWN_CHARACTERS]!r}")
    contig, start, end = fields[0], int(fields[1]), int(fields[2])
    if contig not in contigs:
        raise BadInput(f"{place}: expected a contig of the reference, found {contig!r}")
    if not start < end <= contigs[contig]:
        expected = f"expected 0 <= start < end <= {contigs[contig]}, the length of {contig}"
        raise BadInput(f"{place}: {expected}, found {start} and {end}")
    name, _, strand = (*(field.strip() for field in fields[3:6]), "", "", "")[:3]
    return Region(contig, start, end, name, strand)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
