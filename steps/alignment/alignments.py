"""bwa's alignments where it left them: htslib's `bam1_t`, read and changed in place, without an object for each.

An alignment is its address. Words are of 64 bits, and so is every alignment's beginning:
pos, (tid, bin, qual, l_extranul), (flag, l_qname, n_cigar), (l_qseq, mtid), mpos, isize, and what is not looked at.
"""

from __future__ import annotations

import ctypes

MEMORY = memoryview((ctypes.c_uint64 * (1 << 59)).from_address(0)).cast("B").cast("q")  # this process's, by word
FLAG = 2  # word of an alignment, in its lowest 16 bits
LENGTH = 3  # and the mate's sequence above it
SIZE = 5  # of the fragment, negative for the mate that lies to the right

Alignments = list[int]


def found(bams: int) -> Alignments:
    """The alignments of one read, its primary one first.

    Args:
        bams: Address of bwa's `bams_t`: their number, and where their addresses are.
    """
    number, addresses = MEMORY[bams >> 3] & 0xFFFFFFFF, MEMORY[(bams >> 3) + 1] >> 3
    return MEMORY[addresses : addresses + number].tolist()


def flag(alignment: int) -> int:
    """An alignment's flag."""
    return MEMORY[(alignment >> 3) + FLAG] & 0xFFFF
