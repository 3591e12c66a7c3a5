"""bwa mem in the library that pybwa's wheel carries, called with structures in memory: see `bwa_layout`."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable

import pysam
from alignments import Alignments, flags, read_alignments
from bwa_layout import (
    BAMS,
    LENGTH,
    MEMORY,
    PAIRED,
    READ_WORDS,
    SOFT_CLIPPED,
    default_options,
    load_library,
    unknown_layout,
)
from fastq import Reads
from index import Index
from queries import Queries


class Bwa:
    """bwa mem over one reference, made before forks, which share its index.

    Args:
        reference: A FASTA file with bwa's indexes.

    Raises:
        BwaFailed: if there is no index, or the library differs from `bwa_layout`.
    """

    def __init__(self, reference: str) -> None:
        self._library = load_library()
        self._options = {
            paired: default_options(self._library, SOFT_CLIPPED | PAIRED * paired) for paired in (False, True)
        }
        self._loaded_index = Index(self._library, reference)
        if not self._loaded_index.is_known:
            raise unknown_layout("indexes")
        self._index = self._loaded_index.parts
        self._check_results()

    def align(self, queries: Queries, paired: bool, reads_before: int) -> tuple[list[Alignments], bytes]:
        """Align reads, and return the alignments of each, which exist until `free`, and bwa's messages.

        Args:
            queries: The reads.
            paired: They are mates.
            reads_before: The number of reads before them: bwa draws random numbers by a read's number.
        """
        options, address, number = ctypes.byref(self._options[paired]), queries.address, len(queries)
        printed = _capture_stderr(
            lambda: self._library.mem_process_seqs(options, *self._index, reads_before, number, address, None, None)
        )
        return read_alignments(queries.results), printed

    def free(self, queries: Queries) -> None:
        """Free the alignments of reads."""
        for result in queries.results:
            self._library.bams_destroy(result)

    def _check_results(self) -> None:
        """Align a read that matches nowhere, with free space behind it, and check where bwa wrote.

        Raises:
            BwaFailed: if the result is not where `bwa_layout` expects it.
        """
        queries = Queries([Reads([b"r"], [10], [b"A" * 10], [b"F" * 10], [b"@r"])], [b"RGZr\0"])
        queries.words.extend([0] * READ_WORDS)
        _capture_stderr(
            lambda: self._library.mem_process_seqs(
                ctypes.byref(self._options[False]), *self._index, 0, 1, queries.address, None, None
            )
        )
        if not queries.words[BAMS] or any(queries.words[READ_WORDS:]):
            raise unknown_layout("results")
        reads = read_alignments(queries.results[:1])
        if flags(reads) != [pysam.FUNMAP] or MEMORY[(reads[0][0] >> 3) + LENGTH] != 10 | -1 << 32:
            raise unknown_layout("alignments")


def _capture_stderr(call: Callable[[], object]) -> bytes:
    """Return the output of a call to standard error: bwa prints a few lines a batch, gigabytes in all."""
    begin, end = os.pipe()
    os.set_blocking(end, False)  # what exceeds the pipe is lost
    original = os.dup(2)
    os.dup2(end, 2)
    os.close(end)
    try:
        call()
    finally:
        os.dup2(original, 2)
        os.close(original)
    with open(begin, "rb") as pipe:  # noqa: PTH123  # a descriptor
        return pipe.read()
