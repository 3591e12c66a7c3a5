"""Samples of the content of bwa's index: whether its files belong together, and to the FASTA file beside them.

Files of another reference with the same names and lengths have the right sizes, and give no alignments or wrong ones.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple

from genomics_pipeline.reference.bwa_index import BWT_HEADER_BYTES, SA_HEADER_BYTES, SA_INTERVAL
from genomics_pipeline.reference.index_text import index_lines

SAMPLES = 64
_BLOCK_BASES, _BLOCK_BYTES, _COUNT_BYTES = 128, 64, 32  # of .bwt: four counts of 8 bytes, then the bases


class _Content(NamedTuple):
    """The open files of an index.

    Attributes:
        bases: The bases of the reference.
        pac: The bases, four a byte.
        bwt: The Burrows-Wheeler transform of both strands.
        suffixes: ``.sa``, the places of every 32nd suffix of the sorted ones.
    """

    bases: int
    pac: BinaryIO
    bwt: BinaryIO
    suffixes: BinaryIO

    def base(self, place: int) -> int:
        """Return the base, 0 to 3, at a place of the forward strand and the reverse strand behind it."""
        if place >= self.bases:
            return 3 - self.base(2 * self.bases - 1 - place)
        return _at(self.pac, place // 4, 1)[0] >> (6 - 2 * (place % 4)) & 3

    def transformed(self, row: int) -> int:
        """Return the base, 0 to 3, of a row of the transform, without the row of the whole text."""
        block, rest = divmod(row, _BLOCK_BASES)
        word, place = divmod(rest, 16)
        offset = BWT_HEADER_BYTES + block * _BLOCK_BYTES + _COUNT_BYTES + 4 * word
        return int.from_bytes(_at(self.bwt, offset, 4), "little") >> (30 - 2 * place) & 3


def differing_file(files: dict[str, Path], bases: int) -> str | None:
    """Return the suffix of a file that does not belong to the others; None if the samples agree.

    Args:
        files: The files by their suffix, of the sizes that fit to the number of bases.
        bases: The number of bases.
    """
    holes = (line.split() for line in index_lines(files[".amb"]) if line.strip())
    first = next(holes, [])
    if first[:1] != [b"%d" % bases] or first[2:] != [b"%d" % sum(1 for _ in holes)]:
        return ".amb"
    with ExitStack() as opened:
        pac, bwt, suffixes = (opened.enter_context(files[suffix].open("rb")) for suffix in (".pac", ".bwt", ".sa"))
        header = _at(bwt, 0, BWT_HEADER_BYTES)
        interval = struct.pack("<QQ", SA_INTERVAL, 2 * bases)
        if header[-8:] != interval[8:]:
            return ".bwt"
        if _at(suffixes, 0, SA_HEADER_BYTES) != header + interval:
            return ".sa"
        agree = _agreements(_Content(bases, pac, bwt, suffixes), int.from_bytes(header[:8], "little"))
        return None if all(agree) else ".bwt"


def _agreements(content: _Content, primary: int) -> Iterator[bool]:
    """Yield, for rows that are sampled, whether the transform has the base before the place of the row's suffix."""
    stored = 2 * content.bases // SA_INTERVAL
    for number in sorted({1 + stored * sample // SAMPLES for sample in range(SAMPLES)}):
        row = number * SA_INTERVAL
        if number <= stored and row != primary:
            place = int.from_bytes(_at(content.suffixes, SA_HEADER_BYTES + 8 * (number - 1), 8), "little")
            known = 0 < place <= 2 * content.bases
            yield known and content.transformed(row - (row > primary)) == content.base(place - 1)


def _at(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)
