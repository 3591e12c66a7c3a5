"""The sites where a cohort varies: SNPs and short indels, planted so that each has only one representation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from genomics_pipeline.simulation.reference import SimulatedContig

EDGE_BP = 500  # coverage falls towards the ends of a contig
LEAST_GAP_BP = 150
MEAN_GAP_BP = 700
INDEL_SHARE = 0.15
LONGEST_INDEL_BP = 12
MEAN_INDEL_BP = 2.5
TRANSITIONS = {"A": "G", "G": "A", "C": "T", "T": "C"}
TRANSITION_SHARE = 2 / 3  # Ti/Tv 2, as in genomes


@dataclass(frozen=True, slots=True)
class Site:
    """One planted variant, normalised: trimmed and left-aligned, indels with one anchor base.

    Attributes:
        contig: The contig's name.
        start: The 0-based position of the first base of `ref`.
        ref: The reference's allele.
        alt: The alternate allele.
        frequency: The probability that a haplotype carries `alt`.
    """

    contig: str
    start: int
    ref: str
    alt: str
    frequency: float


def plant_sites(contigs: Sequence[SimulatedContig], seed: int) -> list[Site]:
    """Return sites over all contigs, in order; about one in 700 bp, never two within 100 bp."""
    rng = Random(f"{seed}:sites")
    return [site for contig in contigs for site in _on_contig(contig, rng)]


def _on_contig(contig: SimulatedContig, rng: Random) -> Iterator[Site]:
    start = EDGE_BP
    while True:
        start += int(rng.expovariate(1 / (MEAN_GAP_BP - LEAST_GAP_BP)))
        if start > len(contig.sequence) - EDGE_BP:
            return
        ref, alt = _alleles(contig.sequence, start, rng)
        yield Site(contig.name, start, ref, alt, frequency=rng.betavariate(0.8, 1.4))
        start += LEAST_GAP_BP


def _alleles(sequence: str, start: int, rng: Random) -> tuple[str, str]:
    anchor = sequence[start]
    if rng.random() >= INDEL_SHARE:
        return anchor, _other_base(anchor, rng)
    while True:
        length = min(LONGEST_INDEL_BP, 1 + int(rng.expovariate(1 / MEAN_INDEL_BP)))
        deletes = rng.random() < 0.5
        moved = sequence[start + 1 : start + 1 + length] if deletes else "".join(rng.choices("ACGT", k=length))
        if moved[-1] != anchor:  # else it could be shifted to the left
            return (anchor + moved, anchor) if deletes else (anchor, anchor + moved)


def _other_base(base: str, rng: Random) -> str:
    if rng.random() < TRANSITION_SHARE:
        return TRANSITIONS[base]
    return rng.choice([other for other in "ACGT" if other not in (base, TRANSITIONS[base])])
