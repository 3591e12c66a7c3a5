"""The bases of all sequences in an aligner's index, four a byte, in which other letters are random bases."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from genomics_pipeline.reference.fai import FaiRecord, read_fai

CHUNK_BYTES = 1 << 22
SAMPLES, SAMPLE_BASES = 256, 1 << 14  # in all the bases of a bacterium, which are compared completely


def _table(values: dict[str, int]) -> bytes:
    table = bytearray(256)
    for letter, value in values.items():
        table[ord(letter)] = table[ord(letter.lower())] = value
    return bytes(table)


@dataclass(frozen=True, slots=True)
class Packing:
    """The form in which a file stores bases.

    Attributes:
        shifts: The place of each of the four bases of a byte.
        offset: The place of the first byte in the file.
    """

    shifts: tuple[int, int, int, int] = (6, 4, 2, 0)
    offset: int = 0


PAC = Packing()  # of bwa's ``.pac`` file


def has_same_bases(fasta: Path, pac: Path, packing: Packing = PAC) -> bool:
    """Return whether a file of packed bases has those of a FASTA file, its ``.fai`` beside it."""
    with pac.open("rb") as packed:
        packed.seek(packing.offset)
        rest = b""
        for bases in _bases(fasta):
            bases = rest + bases
            whole = len(bases) - len(bases) % 4
            if not _is_same(bases[:whole], packed.read(whole // 4), packing):
                return False
            rest = bases[whole:]
        return _is_same(rest.ljust(4, b"N"), packed.read(1), packing) if rest else True


def has_same_samples(fasta: Path, pac: Path, packing: Packing = PAC) -> bool:
    """Return whether a file of packed bases has bases of a FASTA file, its ``.fai`` beside it, all over the genome.

    Short references are compared completely.
    """
    records = read_fai(fasta)
    ends = list(accumulate(record.contig.length_bp for record in records))
    total = ends[-1] if ends else 0
    if total <= SAMPLES * SAMPLE_BASES:
        return has_same_bases(fasta, pac, packing)
    with fasta.open("rb") as content, pac.open("rb") as packed:
        for sample in range(SAMPLES):
            start = (total - SAMPLE_BASES) * sample // (SAMPLES - 1) // 4 * 4
            packed.seek(packing.offset + start // 4)
            if not _is_same(_sample(content, records, ends, start), packed.read(SAMPLE_BASES // 4), packing):
                return False
    return True


def _sample(content: BinaryIO, records: Sequence[FaiRecord], ends: Sequence[int], start: int) -> bytes:
    """Read `SAMPLE_BASES` bases from a place on, counted over all sequences, whose ends are given likewise."""
    bases = b""
    while len(bases) < SAMPLE_BASES:
        number = bisect_right(ends, start + len(bases))
        record = records[number]
        place = start + len(bases) - (ends[number] - record.contig.length_bp)
        last = min(record.contig.length_bp, place + SAMPLE_BASES - len(bases))
        content.seek(record.offset_of(place))
        bases += content.read(record.offset_of(last) - record.offset_of(place)).translate(None, b"\r\n")
    return bases


def _bases(fasta: Path) -> Iterator[bytes]:
    """Yield the bases of all sequences in pieces."""
    with fasta.open("rb") as content:
        for record in read_fai(fasta):
            content.seek(record.offset)
            rest = record.end() - record.offset
            while rest > 0 and (chunk := content.read(min(CHUNK_BYTES, rest))):
                rest -= len(chunk)
                yield chunk.translate(None, b"\r\n")


@lru_cache
def _tables(shifts: tuple[int, ...]) -> list[tuple[bytes, bytes]]:
    """Return the tables that give the code and the mask of each of the four bases of a byte."""
    return [
        (
            _table({letter: code << shift for code, letter in enumerate("ACGT")}),
            _table(dict.fromkeys("ACGT", 3 << shift)),
        )
        for shift in shifts
    ]


def _is_same(bases: bytes, packed: bytes, packing: Packing) -> bool:
    """Compare a multiple of four bases with its bytes, apart from letters that are no base."""
    if len(packed) * 4 != len(bases):
        return False
    codes, mask = 0, 0
    for place, (code, known) in enumerate(_tables(packing.shifts)):
        every_fourth = bases[place::4]
        codes |= int.from_bytes(every_fourth.translate(code), "big")
        mask |= int.from_bytes(every_fourth.translate(known), "big")
    return (codes ^ int.from_bytes(packed, "big")) & mask == 0
