"""Reads as bwa takes them: an array of `bseq1_t`, filled in column by column."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate

from bwa_layout import BAMS, COMMENT, NAME, QUALITIES, READ_WORDS, SEQUENCE
from fastq import Reads


class Queries:
    """The reads of one or two files; mates follow each other.

    Args:
        files: The reads of each file.
        comment: A SAM field that every alignment is to have.

    Attributes:
        words: The array.
    """

    def __init__(self, files: Sequence[Reads], comment: bytes) -> None:
        self._held: list[array[int]] = []  # as long as the array points to it
        number = sum(len(reads.names) for reads in files)
        self.words = array("q", bytes(8 * READ_WORDS * number))
        self.words[COMMENT::READ_WORDS] = array("q", [self._hold(comment + b"\0")]) * number
        for place, reads in enumerate(files):
            columns = (
                (0, array("q", reads.lengths)),
                (NAME, self._places(reads.names, list(map(len, reads.names)))),
                (SEQUENCE, self._places(reads.bases, reads.lengths)),
                (QUALITIES, self._places(reads.qualities, reads.lengths)),
            )
            for column, values in columns:
                self.words[READ_WORDS * place + column :: READ_WORDS * len(files)] = values

    def __len__(self) -> int:
        return len(self.words) // READ_WORDS

    @property
    def address(self) -> int:
        """Return the address of the array."""
        return self.words.buffer_info()[0]

    @property
    def results(self) -> Sequence[int]:
        """Return, for each read, the address of bwa's result."""
        return self.words[BAMS::READ_WORDS]

    def _places(self, texts: Sequence[bytes], lengths: Sequence[int]) -> array[int]:
        """Copy texts one after another, each with NUL at its end, and return their addresses."""
        start = self._hold(b"\0".join(texts) + b"\0")
        return array("q", accumulate([length + 1 for length in lengths[:-1]], initial=start))

    def _hold(self, text: bytes) -> int:
        """Copy a text to where bwa may write, and return its address."""
        self._held.append(array("b", text))
        return self._held[-1].buffer_info()[0]
