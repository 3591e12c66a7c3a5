"""bwa mem in the library that pybwa's wheel carries, called on memory that is laid out here: see `bwa_layout`."""

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
    """bwa mem over one reference. Made once; forks share its index.

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
        self._loaded = Index(self._library, reference)
        if not self._loaded.is_known:
            raise unknown_layout("indexes")
        self._index = self._loaded.parts
        self._check_results()

    def align(self, queries: Queries, paired: bool, before: int) -> tuple[list[Alignments], bytes]:
        """Align reads, and return the alignments of each and what bwa prints. Both stay until they are freed.

        Args:
            queries: The reads.
            paired: They are mates.
            before: How many reads came before them: bwa draws random numbers by a read's number.
        """
        options, place, number = ctypes.byref(self._options[paired]), queries.address, len(queries)
        printed = _capture_stderr(
            lambda: self._library.mem_process_seqs(options, *self._index, before, number, place, None, None)
        )
        return read_alignments(queries.results), printed

    def free(self, queries: Queries) -> None:
        """Free what bwa made of reads."""
        for result in queries.results:
            self._library.bams_destroy(result)

    def _check_results(self) -> None:
        """Align a read that lies nowhere, with free space behind it, and check where bwa wrote.

        Raises:
            BwaFailed: if the result is not where `bwa_layout` has it.
        """
        queries = Queries([Reads([b"r"], [10], [b"A" * 10], [b"F" * 10])], b"RG:Z:r")
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
    """Return what a call writes to standard error: bwa prints some lines a batch, gigabytes in all."""
    begin, end = os.pipe()
    os.set_blocking(end, False)  # what exceeds the pipe is lost
    held = os.dup(2)
    os.dup2(end, 2)
    os.close(end)
    try:
        call()
    finally:
        os.dup2(held, 2)
        os.close(held)
    with open(begin, "rb") as pipe:  # noqa: PTH123  # a descriptor
        return pipe.read()
