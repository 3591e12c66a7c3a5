"""A random reference: a few contigs without repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

# Each contig's share of the whole length; unequal, so that a mix-up of contigs shows.
SHARES = {"chr1": 0.6, "chr2": 0.4}


@dataclass(frozen=True, slots=True)
class SimulatedContig:
    """One sequence of the reference, in upper-case ACGT."""

    name: str
    sequence: str


def random_contigs(length_bp: int, seed: int) -> list[SimulatedContig]:
    """Return contigs of uniformly random bases, `length_bp` in all."""
    rng = Random(f"{seed}:reference")
    lengths = {name: round(length_bp * share) for name, share in SHARES.items()}
    return [SimulatedContig(name, "".join(rng.choices("ACGT", k=length))) for name, length in lengths.items()]


def write_fasta(contigs: Sequence[SimulatedContig], path: Path) -> None:
    """Write the contigs as a FASTA file with lines of 60 bases."""
    from Bio import SeqIO
    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord

    SeqIO.write([SeqRecord(Seq(contig.sequence), id=contig.name, description="") for contig in contigs], path, "fasta")
