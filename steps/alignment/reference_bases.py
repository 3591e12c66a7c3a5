"""The bases of a reference, from its FASTA file, which is mapped into memory once for all forks."""

from __future__ import annotations

import mmap
from pathlib import Path

from common.fai import read_fai

_UPPER = bytes(range(256)).upper()
_BREAKS = b"\r\n"


class ReferenceBases:
    """The bases of a reference's sequences.

    Args:
        fasta: A FASTA file with its index, ``.fai``, beside it.

    Attributes:
        numbers: The number of each sequence in the file, by name.
    """

    def __init__(self, fasta: str) -> None:
        sequences = read_fai(fasta)
        self.numbers = {sequence.name: number for number, sequence in enumerate(sequences)}
        self._lengths = {sequence.name: sequence.length for sequence in sequences}
        self._places = {one.name: (one.offset, one.line_bases, one.line_bytes - one.line_bases) for one in sequences}
        with Path(fasta).open("rb") as file:
            self._text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def length(self, sequence: str | None) -> int:
        """Return the length of a sequence in bp."""
        return self._lengths[sequence or ""]

    def between(self, sequence: str | None, start: int, end: int) -> bytes:
        """Return the bases of a sequence from a position, counted from 0, to one behind the last, in upper case."""
        offset, line_bases, line_break = self._places[sequence or ""]
        first = offset + start + start // line_bases * line_break
        last = offset + end + end // line_bases * line_break
        return self._text[first:last].translate(_UPPER, _BREAKS)
