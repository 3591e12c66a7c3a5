"""The sequences of a reference, from its FASTA index."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

BAI_BASES = 1 << 29  # BAI and TBI bin positions below this; CSI has no such limit (SAM specification, 5.1.1)


class Sequence(NamedTuple):
    """A line of a FASTA index: a sequence, and where its bases are in the FASTA file."""

    name: str
    length: int
    offset: int
    line_bases: int
    line_bytes: int

    def stored_bytes(self) -> int:
        """Return the number of bytes from its first base to its last, with the line breaks between them."""
        lines, rest = divmod(self.length, self.line_bases)
        breaks = self.line_bytes - self.line_bases
        return lines * self.line_bytes + rest - (breaks if lines and not rest else 0)


def read_fai(reference: str) -> list[Sequence]:
    """Return the sequences of a reference in order.

    Args:
        reference: A FASTA file with its index, ``.fai``, beside it; the worker has checked that it matches.
    """
    return parse_fai(Path(f"{reference}.fai").read_text())


def parse_fai(text: str) -> list[Sequence]:
    """Return the sequences that the text of a FASTA index lists."""
    rows = (line.split("\t") for line in text.splitlines())
    return [Sequence(row[0], *map(int, row[1:5])) for row in rows]


def read_contigs(reference: str) -> dict[str, int]:
    """Return the length in bp of each sequence of a reference, by name, in order."""
    return {sequence.name: sequence.length for sequence in read_fai(reference)}


def needs_csi(lengths: Iterable[int]) -> bool:
    """Return whether alignments to, or variants of, sequences of these lengths need a CSI index.

    >>> needs_csi([248_956_422]), needs_csi([1, 1 << 29])
    (False, True)
    """
    return any(length >= BAI_BASES for length in lengths)
