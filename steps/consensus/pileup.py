"""Reads over each position, counted from the output of ``samtools mpileup``.

The reads are those that variant_calling uses: no duplicates, no secondary alignments, only with ``-A`` those of pairs
that are not properly paired; where both mates lie over a position, one of them is counted. Base qualities are not
lowered near differences (``-B``): that would take away the reads that tell of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from common.calling_reference import FIRST_BASE

# Without lengths and bases of indels, and without marks of ends, there is one character for each read.
PILEUP_OPTIONS = ["-B", "-d", "0", *(["--no-output-ins"] * 2), *(["--no-output-del"] * 2), "--no-output-ends"]
SKIPS = b"<>"  # the read is spliced over the position, and tells nothing of it
BASES = b"ACGTN"


class Column(NamedTuple):
    """The reads over one position, counted from 0; a deletion in a read counts like a base."""

    position: int
    depth: int
    like_reference: int


def columns_by_contig(lines: Iterable[bytes], contigs: Iterable[str]) -> Iterator[tuple[str, Iterator[Column]]]:
    """Yield each contig, once, with its columns; those without reads come last.

    Args:
        lines: The output of ``samtools mpileup``.
        contigs: The names of all contigs.
    """
    rest = dict.fromkeys(contigs)
    for contig, found in groupby((line.split(b"\t") for line in lines), lambda fields: fields[0]):
        name = contig.decode()
        del rest[name]
        yield name, map(_column, found)
    for name in rest:
        yield name, iter(())


def _column(fields: list[bytes]) -> Column:
    """Count the reads of a line: contig, position, base of the reference, depth, bases, qualities.

    >>> _column([b"v", b"5", b"A", b"6", b"..,*T>", b"FFFFFF"])
    Column(position=4, depth=5, like_reference=3)

    Of an ambiguity code of the reference, the base that variants are called against counts.

    >>> _column([b"v", b"5", b"R", b"3", b"AaG", b"FFF"])
    Column(position=4, depth=3, like_reference=2)

    A line may be there whose reads were all left out: it has an asterisk.

    >>> _column([b"v", b"5", b"A", b"0", b"*", b"*"])
    Column(position=4, depth=0, like_reference=0)
    """
    base, reads, position = fields[2].upper(), fields[4], int(fields[1]) - 1
    if fields[3] == b"0":
        return Column(position, 0, 0)
    depth = len(reads) - sum(map(reads.count, (SKIPS[:1], SKIPS[1:])))
    if base in BASES:
        return Column(position, depth, reads.count(b".") + reads.count(b","))
    return Column(position, depth, reads.upper().count(base.translate(FIRST_BASE)))
