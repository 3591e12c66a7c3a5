"""The assumptions about bwa in the library that pybwa's wheel carries: all of them, in one place.

pybwa makes an object for each read and for each alignment, which takes longer than all that samtools does with them.
So bwa is called with the structures that are described here, and its results are read in memory. The bwa of pybwa is
patched: it makes htslib's records where bwa makes lines of SAM.

The assumptions are checked when the library is loaded (`Bwa`), before the first read of a sample is aligned: on the
default options (`OPTIONS`), an index (`Bwt`) and the result of one read.

Sources: bwamem.h, bwa.h and bwt.h of the bwa in pybwa 2.3, where `bams_t` is added; sam.h of htslib.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from typing import Any, Literal

from common.program import StepError

VERSION = "2.3"  # of pybwa
ERRORS_ONLY = 1  # value of bwa_verbose; bwa prints statistics at any value

# Flags of mem_opt_t.
PAIRED = 0x2  # MEM_F_PE
# MEM_F_SOFTCLIP, bwa's -Y: on the reverse strand, pybwa 2.3's hard clipping keeps the bases of the read's wrong end.
SOFT_CLIPPED = 0x200

# The fields of mem_opt_t, in order, with bwa's defaults, which show whether the offsets are right.
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


class Options(ctypes.Structure):
    """bwa's options, mem_opt_t."""

    flag: int
    _fields_ = tuple((name, _TYPES.get(name, ctypes.c_int)) for name in OPTIONS)


class Bwt(ctypes.Structure):
    """The largest part of bwa's index, bwt_t."""

    primary: int
    seq_len: int
    size: int
    words: int
    interval: int
    samples: int | None
    _fields_ = (
        ("primary", ctypes.c_uint64),
        ("before", ctypes.c_uint64 * 5),
        ("seq_len", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
        ("words", ctypes.c_void_p),
        ("counts", ctypes.c_uint32 * 256),
        ("interval", ctypes.c_int),
        ("sampled", ctypes.c_uint64),
        ("samples", ctypes.c_void_p),
    )


BWT_HEADER_BYTES = 40  # of the .bwt file: `primary`, and `before` but its first
SAMPLE_INTERVAL = 32  # `interval`, as `bwa index` sets it
NAMES_AND_BASES = 6  # BWA_IDX_BNS | BWA_IDX_PAC

# bseq1_t, a read, in words of 64 bits: (l_seq, id), name, comment, seq, qual, and the address of a bams_t: the number
# of alignments of the read, and the address of the addresses of their bam1_t.
READ_WORDS = 6
NAME, COMMENT, SEQUENCE, QUALITIES, BAMS = range(1, READ_WORDS)

# bam1_t, an alignment, in words of 64 bits: pos, (tid, bin, qual, l_extranul), (flag, l_qname, n_cigar),
# (l_qseq, mtid), mpos, isize, id, the address of its data, (l_data, m_data), and more that is not used here.
FLAG = 2  # in the lowest 16 bits of the word
LENGTH = 3  # with the mate's sequence above it
SIZE = 5  # of the fragment, negative for the mate on the right
DATA = 7
ALIGNMENT_BYTES = 72  # those that are used here
# Offsets of single fields, in units of their own size.
EXTRA_NULS, NAME_LENGTH, OPERATIONS, DATA_LENGTH = 15, 9, 5, 16

RECORD_BYTES = 36  # of a record in BAM before its name
OPERATIONS_IN_RECORD = 8  # the number of operations, in units of 2 bytes
# Where BAM has the fields of an alignment (SAM specification, 4.2), in units of 1, 2 and 4 bytes.
COLUMNS: dict[Literal["B", "H", "i"], list[tuple[int, int]]] = {
    "B": [(13, 14)],  # mapq
    "H": [(7, 6), (8, 10), (9, 8)],  # bin, n_cigar_op, flag
    "i": [(1, 2), (2, 0), (5, 6), (6, 7), (7, 8), (8, 10)],  # refID, pos, l_seq, next_refID, next_pos, tlen
}

# bwa's messages about the fragment sizes of a batch.
ORIENTATIONS = (b"FF", b"FR", b"RF", b"RR")  # in bwa's order; read 1's strand is F
STATISTICS = re.compile(
    rb"orientation ([FR]{2})|\] mean and std\.dev: \(([0-9.]+), ([0-9.]+)\)|for proper pairs: \((\d+), (\d+)\)"
)

_ADDRESS, _NUMBER = ctypes.c_void_p, ctypes.c_int
# name -> (types of the arguments, type of the result)
FUNCTIONS: Mapping[str, tuple[list[type[Any]], type[Any] | None]] = {
    "mem_opt_init": ([], _ADDRESS),
    "bwa_idx_load_from_disk": ([ctypes.c_char_p, _NUMBER], _ADDRESS),
    "bwt_gen_cnt_table": ([_ADDRESS], _NUMBER),
    "bwt_restore_sa": ([ctypes.c_char_p, _ADDRESS], _NUMBER),
    "mem_process_seqs": ([*[_ADDRESS] * 4, ctypes.c_int64, _NUMBER, *[_ADDRESS] * 3], _NUMBER),
    "bams_destroy": ([_ADDRESS], None),
}

BYTES = memoryview((ctypes.c_uint64 * (1 << 59)).from_address(0)).cast("B")  # this process's memory
MEMORY = BYTES.cast("q")  # by word


class BwaFailed(StepError):
    """The error of a bwa, or of an index of it, that cannot be used."""


def unknown_layout(what: str) -> BwaFailed:
    """Return the error for a library whose `what` differs from the assumptions."""
    from importlib.metadata import version

    expected = f"expected bwa's {what} as in pybwa {VERSION}, found others"
    return BwaFailed(f"pybwa {version('pybwa')}: {expected}; install pybwa {VERSION}")


def load_library() -> ctypes.CDLL:
    """Load the library of pybwa without importing pybwa, which takes longer than all other imports.

    Raises:
        BwaFailed: if it lacks a function.
    """
    spec = find_spec("pybwa")
    folder = ((spec and spec.submodule_search_locations) or [""])[0]
    library = ctypes.CDLL(f"{folder}/libbwamem{EXTENSION_SUFFIXES[0]}")
    try:
        for name, (arguments, result) in FUNCTIONS.items():
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, result
        _NUMBER.in_dll(library, "bwa_verbose").value = ERRORS_ONLY
    except (AttributeError, ValueError):
        raise unknown_layout("functions") from None
    return library


def default_options(library: ctypes.CDLL, flags: int) -> Options:
    """Return bwa's default options with some flags set.

    Raises:
        BwaFailed: if the defaults differ from `OPTIONS`.
    """
    options = Options.from_address(library.mem_opt_init())
    if {name: getattr(options, name) for name in OPTIONS} != OPTIONS:
        raise unknown_layout("options")
    options.flag = flags
    return options
