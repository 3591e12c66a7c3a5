"""bwa mem in the library that pybwa's wheel carries, called on memory that is laid out here.

pybwa's own way, an object for each read and for each alignment, costs more than samtools does with them. Its bwa is
patched: it makes htslib's records where bwa makes lines, see `alignments.py`.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from typing import Any

import pysam
from alignments import LENGTH, MEMORY, Alignments, flags, found
from fastq import Reads
from index import BwaFailed, Index
from queries import BAMS, WORDS, Queries

PAIRED = 0x2  # MEM_F_PE
# MEM_F_SOFTCLIP, bwa's -Y: on the reverse strand, pybwa 2.3's hard clipping keeps the bases of the read's wrong end.
SOFT_CLIPPED = 0x200
ERRORS_ONLY = 1  # for bwa's verbosity; its statistics come whatever that is

# The fields of bwa's mem_opt_t, in order, with their defaults: these tell whether they are where we look.
OPTIONS: dict[str, int | float] = {
    "a": 1,
    "b": 4,
    "o_del": 6,
    "e_del": 1,
    "o_ins": 6,
    "e_ins": 1,
    "pen_unpaired": 17,
    "pen_clip5": 5,
    "pen_clip3": 5,
    "w": 100,
    "zdrop": 100,
    "max_mem_intv": 20,
    "T": 30,
    "flag": 0,
    "min_seed_len": 19,
    "min_chain_weight": 0,
    "max_chain_extend": 1 << 30,
    "split_factor": 1.5,
    "split_width": 10,
    "max_occ": 500,
    "max_chain_gap": 10_000,
    "n_threads": 1,
    "chunk_size": 10_000_000,
}
_TYPES: dict[str, type[ctypes._SimpleCData[Any]]] = {"max_mem_intv": ctypes.c_uint64, "split_factor": ctypes.c_float}


class _Options(ctypes.Structure):
    flag: int
    _fields_ = tuple((name, _TYPES.get(name, ctypes.c_int)) for name in OPTIONS)


class Bwa:
    """bwa mem over one reference. Made once; forks share its index.

    Args:
        reference: A FASTA file with bwa's indexes.

    Raises:
        BwaFailed: if there is no index, or the library is none that this module knows.
    """

    def __init__(self, reference: str) -> None:
        self._library = _library()
        self._options = {paired: self._made(PAIRED * paired) for paired in (False, True)}
        self._loaded = Index(self._library, reference)
        if not self._loaded.is_known:
            raise unknown("indexes")
        self._index = self._loaded.parts
        self._try()

    def align(self, queries: Queries, paired: bool, before: int) -> tuple[list[Alignments], bytes]:
        """The alignments of each read, and what bwa tells about them. Both are the caller's to `free`.

        Args:
            queries: The reads.
            paired: They are mates.
            before: How many reads came before them: bwa throws dice by a read's number.
        """
        options, place, number = ctypes.byref(self._options[paired]), queries.address, len(queries)
        told = _heard(lambda: self._library.mem_process_seqs(options, *self._index, before, number, place, None, None))
        return found(queries.results), told

    def free(self, queries: Queries) -> None:
        """Free what bwa made of reads."""
        for result in queries.results:
            self._library.bams_destroy(result)

    def _made(self, flags: int) -> _Options:
        """bwa's default options, and some flags."""
        options = _Options.from_address(self._library.mem_opt_init())
        if {name: getattr(options, name) for name in OPTIONS} != OPTIONS:
            raise unknown("options")
        options.flag = SOFT_CLIPPED | flags
        return options

    def _try(self) -> None:
        """Align a read that lies nowhere, with room behind it."""
        queries = Queries([Reads([b"r"], [10], [b"A" * 10], [b"F" * 10])], b"RG:Z:r")
        queries.words.extend([0] * WORDS)
        _heard(
            lambda: self._library.mem_process_seqs(
                ctypes.byref(self._options[False]), *self._index, 0, 1, queries.address, None, None
            )
        )
        if not queries.words[BAMS] or any(queries.words[WORDS:]):
            raise unknown("results")
        reads = found(queries.results[:1])
        if flags(reads) != [pysam.FUNMAP] or MEMORY[(reads[0][0] >> 3) + LENGTH] != 10 | -1 << 32:
            raise unknown("alignments")


def unknown(what: str) -> BwaFailed:
    """The error for a library that something has changed in."""
    from importlib.metadata import version

    return BwaFailed(f"pybwa {version('pybwa')}: its bwa's {what} are not as in pybwa 2.3; install that")


def _library() -> ctypes.CDLL:
    """pybwa's library; pybwa itself is not imported, which takes longer than all of ours."""
    spec = find_spec("pybwa")
    folder = ((spec and spec.submodule_search_locations) or [""])[0]
    library = ctypes.CDLL(f"{folder}/libbwamem{EXTENSION_SUFFIXES[0]}")
    address, number = ctypes.c_void_p, ctypes.c_int
    library.mem_opt_init.restype = address
    library.bwa_idx_load_from_disk.argtypes = [ctypes.c_char_p, number]
    library.bwa_idx_load_from_disk.restype = address
    library.bwt_gen_cnt_table.argtypes = [address]
    library.bwt_restore_sa.argtypes = [ctypes.c_char_p, address]
    library.mem_process_seqs.argtypes = [*[address] * 4, ctypes.c_int64, number, *[address] * 3]
    library.bams_destroy.argtypes = [address]
    library.bams_destroy.restype = None
    number.in_dll(library, "bwa_verbose").value = ERRORS_ONLY
    return library


def _heard(call: Callable[[], object]) -> bytes:
    """What a call writes to standard error: bwa tells some lines a batch, gigabytes in all."""
    begin, end = os.pipe()
    os.set_blocking(end, False)  # what is too much for the pipe is lost
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
