"""bwa's alignments in memory: htslib's `bam1_t`, read and changed in place, without an object for each.

An alignment is given by its address; `bwa_layout` has the offsets of its fields.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from itertools import chain
from operator import sub

from bwa_layout import (
    ALIGNMENT_BYTES,
    BYTES,
    COLUMNS,
    DATA,
    DATA_LENGTH,
    EXTRA_NULS,
    FLAG,
    LENGTH,
    MEMORY,
    NAME_LENGTH,
    OPERATIONS,
    OPERATIONS_IN_RECORD,
    RECORD_BYTES,
)
from cigars import MOST_OPERATIONS, long_cigar

Alignments = list[int]
_TAB = re.compile(rb"\t(?=(?:LB|RX|Zk)Z)")  # not any tag: NM is 9, a tab, and followed by MD


def read_alignments(results: Sequence[int]) -> list[Alignments]:
    """Return the alignments of each read, the primary one first.

    Args:
        results: Addresses of bwa's `bams_t`.
    """
    return [
        MEMORY[(first := MEMORY[(bams >> 3) + 1] >> 3) : first + (MEMORY[bams >> 3] & 0xFFFFFFFF)].tolist()
        for bams in results
    ]


def flags(reads: Sequence[Alignments]) -> list[int]:
    """Return the flag of each read's primary alignment."""
    return [MEMORY[(alignments[0] >> 3) + FLAG] & 0xFFFF for alignments in reads]


def end_tags(reads: Sequence[Alignments]) -> None:
    """End the tags behind the read group, which bwa takes for a part of it, each with a NUL."""
    for alignment in chain.from_iterable(reads):
        word = alignment >> 3
        lengths, bases = MEMORY[word + FLAG] >> 16, MEMORY[word + LENGTH] & 0xFFFFFFFF
        before_tags = (lengths & 0xFFFF) + 4 * (lengths >> 16) + (bases + 1) // 2 + bases  # name, CIGAR, sequence
        start = MEMORY[word + DATA] + before_tags
        end = MEMORY[word + DATA] + (MEMORY[word + DATA + 1] & 0xFFFFFFFF)
        for match in _TAB.finditer(BYTES[start:end]):
            BYTES[start + match.start()] = 0


def bam_records(reads: Sequence[Alignments]) -> bytes:
    """Return alignments as records of a BAM file, uncompressed."""
    alignments = [alignment for alignments in reads for alignment in alignments]
    structs = b"".join([BYTES[alignment : alignment + ALIGNMENT_BYTES] for alignment in alignments])
    lengths = memoryview(structs).cast("i")[DATA_LENGTH :: ALIGNMENT_BYTES // 4].tolist()
    names = memoryview(structs).cast("H")[NAME_LENGTH :: ALIGNMENT_BYTES // 2].tolist()
    padding = structs[EXTRA_NULS::ALIGNMENT_BYTES]  # of names, which BAM does not have
    parts = [memoryview(b"")] * (3 * len(alignments))
    parts[0::3] = _fixed_parts(structs, lengths, names, padding)
    data = memoryview(structs).cast("q")[DATA :: ALIGNMENT_BYTES // 8].tolist()
    parts[1::3] = [BYTES[start : start + name - pad] for start, name, pad in zip(data, names, padding, strict=True)]
    parts[2::3] = [
        BYTES[start + name : start + length] for start, name, length in zip(data, names, lengths, strict=True)
    ]
    operations = memoryview(structs).cast("I")[OPERATIONS :: ALIGNMENT_BYTES // 4].tolist()
    if max(operations, default=0) > MOST_OPERATIONS:
        for record, count in enumerate(operations):
            if count > MOST_OPERATIONS:
                _shorten_cigar(parts, 3 * record, count)
    return b"".join(parts)


def _shorten_cigar(parts: list[memoryview], place: int, count: int) -> None:
    """Move the CIGAR of a record to its tag CG: see `cigars`.

    Args:
        parts: The fixed parts, the names and the rest of all records, in turn.
        place: The place of the record in them.
        count: The number of its operations.
    """
    fixed, rest = parts[place], parts[place + 2]
    short, tag = long_cigar(array("I", rest[: 4 * count].tobytes()))
    parts[place + 2] = memoryview(short.tobytes() + rest[4 * count :].tobytes() + tag)
    fixed.cast("i")[0] += len(parts[place + 2]) - len(rest)
    fixed.cast("H")[OPERATIONS_IN_RECORD] = len(short)


def _fixed_parts(structs: bytes, lengths: Sequence[int], names: Sequence[int], padding: bytes) -> list[memoryview]:
    """Return the part of each record before its name, filled in column by column."""
    blocks = memoryview(bytearray(RECORD_BYTES * len(lengths)))
    sizes = array("i", [RECORD_BYTES - 4 + length - pad for length, pad in zip(lengths, padding, strict=True)])
    blocks.cast("i")[:: RECORD_BYTES // 4] = memoryview(sizes)
    blocks[12::RECORD_BYTES] = bytes(map(sub, names, padding))
    for kind, places in COLUMNS.items():
        target, source = blocks.cast(kind), memoryview(structs).cast(kind)
        for place, origin in places:
            target[place :: RECORD_BYTES // target.itemsize] = source[origin :: ALIGNMENT_BYTES // target.itemsize]
    return [blocks[place : place + RECORD_BYTES] for place in range(0, len(blocks), RECORD_BYTES)]
