"""A random reference: a few contigs without repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

# Each contig's share of the whole length; unequal, so that a mix-up of contigs shows.
SHARES = {"chr1": 0.6, "chr2": 0.4}
SHARES_WITH_SEXES = {"chr1": 0.4, "chr2": 0.25, "chrX": 0.2, "chrY": 0.1, "chrM": 0.05}


@dataclass(frozen=True, slots=True)
class SimulatedContig:
    """One sequence of the reference, in upper-case ACGT."""

    name: str
    sequence: str


def random_contigs(length_bp: int, seed: int, with_sexes: bool = False) -> list[SimulatedContig]:
    """Return contigs of uniformly random bases, `length_bp` in all.

    Args:
        length_bp: The length of all contigs.
        seed: The seed.
        with_sexes: True for sex chromosomes and a mitochondrial genome beside autosomes.
    """
    rng = Random(f"{seed}:reference")
    shares = SHARES_WITH_SEXES if with_sexes else SHARES
    lengths = {name: round(length_bp * share) for name, share in shares.items()}
    return [SimulatedContig(name, "".join(rng.choices("ACGT", k=length))) for name, length in lengths.items()]


def write_fasta(contigs: Sequence[SimulatedContig], path: Path) -> None:
    """Write the contigs as a FASTA file with lines of 60 bases."""
    from Bio import SeqIO
    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord

    SeqIO.write([SeqRecord(Seq(contig.sequence), id=contig.name, description="") for contig in contigs], path, "fasta")
