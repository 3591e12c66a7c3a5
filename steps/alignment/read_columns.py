"""The bases and qualities of reads, column by column, as BAM stores them (SAM specification, 4.2)."""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterable, Sequence
from typing import TypeVar
from zlib import adler32

from fastq import Reads

_Value = TypeVar("_Value")

_BYTES = [chr(byte).upper() for byte in range(256)]
_COMPLEMENTS = {"A": "T", "C": "G", "G": "C", "T": "A"}
_DIGITS = {"A": "1", "C": "2", "G": "4", "T": "8"}  # codes of 4 bits; that of N is 15
# As bwa does: upper case, and N for all but A, C, G and T; line breaks stay, between reads that are joined.
_KNOWN = "".join(base if base in _DIGITS or base == "\n" else "N" for base in _BYTES).encode()
_COMPLEMENT = "".join(_COMPLEMENTS.get(base, "N") for base in _BYTES).encode()
_CODES = "".join(_DIGITS.get(base, "f") for base in _BYTES).encode()
_COMPLEMENT_CODES = "".join(_DIGITS.get(_COMPLEMENTS.get(base, "N"), "f") for base in _BYTES).encode()
_PADDING = (b"", b"0")  # of an even and of an odd number of bases
_QUALITIES = bytes(max(0, byte - ord("!")) for byte in range(256))
# `samtools fixmate -m` sums the qualities of 15 and more, by which markdup chooses the best of duplicates.
_COUNTED = bytes(quality if quality >= 15 else 0 for quality in _QUALITIES)
_SURE_LENGTH = 65_520 // (ord("~") - ord("!"))  # of a read whose sum is below Adler's modulus, 65521


def mates_in_turn(columns: Sequence[list[_Value]]) -> list[_Value]:
    """Return the values of one file, or those of two in turn.

    >>> mates_in_turn([[1, 3], [2, 4]])
    [1, 2, 3, 4]
    """
    if len(columns) == 1:
        return columns[0]
    both = columns[0] * 2  # of the right length
    both[::2], both[1::2] = columns
    return both


def known_bases(files: Sequence[Reads]) -> list[bytes]:
    """Return the bases of each read, in upper case and N for unknown ones; mates follow each other."""
    return mates_in_turn([b"\n".join(reads.bases).translate(_KNOWN).split(b"\n") for reads in files])


def on_reference_strand(bases: bytes, reverse: bool) -> bytes:
    """Return the bases of a read on the strand of the reference."""
    return bases.translate(_COMPLEMENT)[::-1] if reverse else bases


def packed_bases(bases: Iterable[bytes], reverses: Iterable[bool]) -> list[bytes]:
    """Return the bases of each record, two in a byte."""
    return [
        unhexlify(
            (text.translate(_COMPLEMENT_CODES)[::-1] if reverse else text.translate(_CODES)) + _PADDING[len(text) & 1]
        )
        for text, reverse in zip(bases, reverses, strict=True)
    ]


def phred_scores(qualities: Iterable[bytes], reverses: Iterable[bool]) -> list[bytes]:
    """Return the qualities of each record."""
    return [
        text.translate(_QUALITIES)[::-1] if reverse else text.translate(_QUALITIES)
        for text, reverse in zip(qualities, reverses, strict=True)
    ]


def mate_scores(qualities: Iterable[bytes]) -> list[int]:
    """Return the score of each read that its mate gets as ``ms``.

    Adler's checksum begins with one more than the sum of all bytes, and is much faster than `sum`.
    """
    counted = [text.translate(_COUNTED) for text in qualities]
    return [(adler32(text) & 0xFFFF) - 1 if len(text) <= _SURE_LENGTH else sum(text) for text in counted]
