"""bwa's alignments where it left them: htslib's `bam1_t`, read and changed in place, without an object for each.

An alignment is its address. In words of 64 bits it is pos, (tid, bin, qual, l_extranul), (flag, l_qname, n_cigar),
(l_qseq, mtid), mpos, isize, id, the address of its data, (l_data, m_data), and what nobody looks at here.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from operator import sub
from typing import Literal

OCTETS = memoryview((ctypes.c_uint64 * (1 << 59)).from_address(0)).cast("B")  # this process's memory
MEMORY = OCTETS.cast("q")  # by word
FLAG = 2  # the word, in its lowest 16 bits
LENGTH = 3  # with the mate's sequence above it
SIZE = 5  # of the fragment, negative for the mate that lies to the right
STRUCT = 72  # octets of an alignment that are looked at
BLOCK = 36  # octets of a record in BAM before its name

# Where BAM has what an alignment has, in units of 1, 2 and 4 octets.
COLUMNS: dict[Literal["B", "H", "i"], list[tuple[int, int]]] = {
    "B": [(13, 14)],  # mapq
    "H": [(7, 6), (8, 10), (9, 8)],  # bin, n_cigar_op, flag
    "i": [(1, 2), (2, 0), (5, 6), (6, 7), (7, 8), (8, 10)],  # refID, pos, l_seq, next_refID, next_pos, tlen
}

Alignments = list[int]


def found(results: Sequence[int]) -> list[Alignments]:
    """The alignments of each read, its primary one first.

    Args:
        results: Addresses of bwa's `bams_t`: how many alignments, and where their addresses are.
    """
    return [
        MEMORY[(first := MEMORY[(bams >> 3) + 1] >> 3) : first + (MEMORY[bams >> 3] & 0xFFFFFFFF)].tolist()
        for bams in results
    ]


def flags(reads: Sequence[Alignments]) -> list[int]:
    """The flag of each read's primary alignment."""
    return [MEMORY[(alignments[0] >> 3) + FLAG] & 0xFFFF for alignments in reads]


def in_bam(reads: Sequence[Alignments]) -> bytes:
    """Alignments as a BAM file has them, uncompressed.

    What BAM does with a CIGAR of more than 65535 operations is left out: reads are not that long.
    """
    alignments = [alignment for alignments in reads for alignment in alignments]
    structs = b"".join([OCTETS[alignment : alignment + STRUCT] for alignment in alignments])
    lengths = memoryview(structs).cast("i")[16 :: STRUCT // 4].tolist()
    names = memoryview(structs).cast("H")[9 :: STRUCT // 2].tolist()
    padding = structs[15::STRUCT]  # of names, which BAM does not have
    parts = [memoryview(b"")] * (3 * len(alignments))
    parts[0::3] = _blocks(structs, lengths, names, padding)
    data = memoryview(structs).cast("q")[7 :: STRUCT // 8].tolist()
    parts[1::3] = [OCTETS[at : at + name - pad] for at, name, pad in zip(data, names, padding, strict=True)]
    parts[2::3] = [OCTETS[at + name : at + length] for at, name, length in zip(data, names, lengths, strict=True)]
    return b"".join(parts)


def _blocks(structs: bytes, lengths: Sequence[int], names: Sequence[int], padding: bytes) -> list[memoryview]:
    """What stands before the name in each record, column by column."""
    blocks = memoryview(bytearray(BLOCK * len(lengths)))
    sizes = array("i", [BLOCK - 4 + length - pad for length, pad in zip(lengths, padding, strict=True)])
    blocks.cast("i")[:: BLOCK // 4] = memoryview(sizes)
    blocks[12::BLOCK] = bytes(map(sub, names, padding))
    for kind, places in COLUMNS.items():
        to, source = blocks.cast(kind), memoryview(structs).cast(kind)
        for place, origin in places:
            to[place :: BLOCK // to.itemsize] = source[origin :: STRUCT // to.itemsize]
    return [blocks[place : place + BLOCK] for place in range(0, len(blocks), BLOCK)]
