"""Reads as bwa takes them: an array of its `bseq1_t`, made column by column."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate

from fastq import Reads

WORDS = 6  # of 64 bits each: (l_seq, id), name, comment, seq, qual, and bams, which bwa fills
BAMS = 5


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
        self.words = array("q", bytes(8 * WORDS * number))
        self.words[2::WORDS] = array("q", [self._hold(comment + b"\0")]) * number
        for place, reads in enumerate(files):
            columns = (
                (0, array("q", reads.lengths)),
                (1, self._places(reads.names, list(map(len, reads.names)))),
                (3, self._places(reads.bases, reads.lengths)),
                (4, self._places(reads.qualities, reads.lengths)),
            )
            for column, values in columns:
                self.words[WORDS * place + column :: WORDS * len(files)] = values

    def __len__(self) -> int:
        return len(self.words) // WORDS

    @property
    def address(self) -> int:
        """Where the array is."""
        return self.words.buffer_info()[0]

    @property
    def results(self) -> Sequence[int]:
        """For each read, the address of what bwa made of it."""
        return self.words[BAMS::WORDS]

    def _places(self, texts: Sequence[bytes], lengths: Sequence[int]) -> array[int]:
        """Addresses of some texts, copied one after another with NUL at each one's end."""
        start = self._hold(b"\0".join(texts) + b"\0")
        return array("q", accumulate([length + 1 for length in lengths[:-1]], initial=start))

    def _hold(self, text: bytes) -> int:
        """Address of a copy that bwa may write in."""
        self._held.append(array("b", text))
        return self._held[-1].buffer_info()[0]
