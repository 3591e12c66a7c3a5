"""The differences between a read and the reference: NM, MD and the score of an alignment (SAM optional fields)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

# bwa mem's scores, so that AS and XS mean the same with each aligner.
MISMATCH, UNKNOWN_BASE, GAP, GAP_BASE = -4, -1, -6, -1
_KNOWN = frozenset(b"ACGT")


class Differences(NamedTuple):
    """The differences of one alignment.

    Attributes:
        edits: NM, the bases that differ, are inserted or deleted.
        text: MD.
        score: AS, on bwa's scale.
    """

    edits: int
    text: bytes
    score: int


def compare(read: bytes, reference: bytes, cigar: Sequence[tuple[str, int]]) -> Differences:
    """Return the differences of an alignment.

    Args:
        read: The aligned bases of the read, on the reference's strand, A, C, G, T and N.
        reference: The bases of the reference, in upper case.
        cigar: The operations M, I and D.

    >>> compare(b"ACGTTAC", b"ACTTCAC", [("M", 3), ("I", 1), ("M", 1), ("D", 1), ("M", 2)])
    Differences(edits=3, text=b'2T1^C2', score=-13)
    >>> compare(b"ACN", b"ACN", [("M", 3)])
    Differences(edits=1, text=b'2N0', score=1)
    """
    count = score = equal = place = at = 0
    parts = []
    for operation, length in cigar:
        if operation == "M":
            bases, others = read[at : at + length], reference[place : place + length]
            done = 0
            for offset in unequal_places(bases, others):
                parts.append(b"%d%c" % (equal + offset - done, others[offset]))
                known = bases[offset] in _KNOWN and others[offset] in _KNOWN
                score += (MISMATCH if known else UNKNOWN_BASE) - 1
                count, equal, done = count + 1, 0, offset + 1
            equal += length - done
            score += length
            place, at = place + length, at + length
            continue
        count += length
        score += GAP + GAP_BASE * length
        if operation == "I":
            at += length
        else:
            parts.append(b"%d^%b" % (equal, reference[place : place + length]))
            equal = 0
            place += length
    parts.append(b"%d" % equal)
    return Differences(count, b"".join(parts), score)


def unequal_places(bases: bytes, others: bytes) -> Iterator[int]:
    """Yield the places, a few, at which two texts of equal length differ; N differs from every base.

    All are compared at once, as two large numbers.
    """
    length = len(bases)
    different = int.from_bytes(bases.replace(b"N", b"n")) ^ int.from_bytes(others)
    while different:
        behind = (different.bit_length() - 1) >> 3
        yield length - behind - 1
        different &= (1 << (behind << 3)) - 1
