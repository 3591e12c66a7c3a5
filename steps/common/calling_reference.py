"""The reference that variants are called against: its ambiguity codes are reduced to bases.

VCF allows A, C, G, T and N only. An ambiguity code becomes the base that is first alphabetically of those that it
stands for (VCF specification 4.3, 1.6.1), before calling: bcftools leaves out SNPs at such a code, and fails at an
indel over one. Reads are aligned to, and CRAM files refer to, the reference as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from common.fai import Sequence, read_fai

FIRST_BASE = bytes.maketrans(b"RYSWKMBDHVryswkmbdhv", b"ACCAGACAAAaccagacaaa")
PLAIN = b"ACGTNacgtn\r\n"
CHUNK_BYTES = 1 << 24


class CallingReference:
    """The reference of several groups of contigs, each of which is called by itself.

    A group without ambiguity codes, as nearly all are, has the reference itself. A file of their own is written for the
    contigs of the other groups.

    Args:
        reference: A FASTA file with its index beside it.
        groups: The names of the contigs of each group.
        scratch: A folder for the file.
    """

    def __init__(self, reference: str, groups: Iterable[Collection[str]], scratch: Path) -> None:
        self._reference = reference
        self._reduced = scratch / "reference.fa"
        groups = [set(group) for group in groups]
        called = set().union(*groups)
        sequences = [sequence for sequence in read_fai(reference) if sequence.name in called]
        with Path(reference).open("rb") as fasta:
            coded = {sequence.name for sequence in sequences if _has_codes(fasta, sequence)}
            self._names = set().union(*(group for group in groups if not coded.isdisjoint(group)))
            if self._names:
                _write_reduced(fasta, [one for one in sequences if one.name in self._names], self._reduced)

    def is_reduced(self, group: Iterable[str]) -> bool:
        """Return whether a group has a file of its own, since one of its contigs has ambiguity codes."""
        return not self._names.isdisjoint(group)

    def path(self, group: Iterable[str]) -> str:
        """Return the FASTA file to call a group against, its index beside it."""
        return str(self._reduced) if self.is_reduced(group) else self._reference


def _has_codes(fasta: BinaryIO, sequence: Sequence) -> bool:
    return any(chunk.translate(None, PLAIN) for chunk in _chunks(fasta, sequence))


def _chunks(fasta: BinaryIO, sequence: Sequence) -> Iterator[bytes]:
    """Yield the bases of a sequence, with its line breaks."""
    fasta.seek(sequence.offset)
    rest = sequence.stored_bytes()
    while rest and (chunk := fasta.read(min(CHUNK_BYTES, rest))):
        rest -= len(chunk)
        yield chunk


def _write_reduced(fasta: BinaryIO, sequences: Iterable[Sequence], target: Path) -> None:
    """Write sequences without ambiguity codes, in lines of the same lengths, with an index."""
    with target.open("wb") as out, Path(f"{target}.fai").open("w") as index:
        for sequence in sequences:
            out.write(f">{sequence.name}\n".encode())
            fields = sequence._replace(offset=out.tell())
            index.write("\t".join(map(str, fields)) + "\n")
            for chunk in _chunks(fasta, sequence):
                out.write(chunk.translate(FIRST_BASE))
            out.write(b"\n")
