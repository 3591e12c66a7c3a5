"""Reads in bwa's layout: an array of `bseq1_t`, filled in column by column."""

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
        fields: The tags of each read's alignments as in BAM, the read group first; one element for all reads.

    Attributes:
        words: The array.
    """

    def __init__(self, files: Sequence[Reads], fields: Sequence[bytes]) -> None:
        self._buffers: list[array[int]] = []  # kept as long as the array points to them
        number = sum(len(reads.names) for reads in files)
        self.words = array("q", bytes(8 * READ_WORDS * number))
        # bwa takes one field; `alignments.end_tags` separates it into tags.
        texts = [b"RG:Z:" + tags[3:-1].replace(b"\0", b"\t") for tags in fields]
        comments = self._addresses(texts, list(map(len, texts)))
        self.words[COMMENT::READ_WORDS] = comments * (number // len(comments))
        for index, reads in enumerate(files):
            columns = (
                (0, array("q", reads.lengths)),
                (NAME, self._addresses(reads.names, list(map(len, reads.names)))),
                (SEQUENCE, self._addresses(reads.bases, reads.lengths)),
                (QUALITIES, self._addresses(reads.qualities, reads.lengths)),
            )
            for column, values in columns:
                self.words[READ_WORDS * index + column :: READ_WORDS * len(files)] = values

    def __len__(self) -> int:
        return len(self.words) // READ_WORDS

    @property
    def address(self) -> int:
        """The address of the array."""
        return self.words.buffer_info()[0]

    @property
    def results(self) -> Sequence[int]:
        """The address of bwa's result for each read."""
        return self.words[BAMS::READ_WORDS]

    def _addresses(self, texts: Sequence[bytes], lengths: Sequence[int]) -> array[int]:
        """Copy texts, each terminated by NUL, and return their addresses."""
        start = self._copy(b"\0".join(texts) + b"\0")
        return array("q", accumulate([length + 1 for length in lengths[:-1]], initial=start))

    def _copy(self, text: bytes) -> int:
        """Copy a text to memory that bwa may change, and return the address."""
        self._buffers.append(array("b", text))
        return self._buffers[-1].buffer_info()[0]
