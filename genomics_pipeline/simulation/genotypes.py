"""Who carries what: each sample's two haplotypes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from genomics_pipeline.simulation.reference import Contig
from genomics_pipeline.simulation.sites import Site

# One sample's alleles (0 or 1) on its two haplotypes, for every site in order.
Genotypes = list[tuple[int, int]]


def draw(sites: Iterable[Site], rng: Random) -> Genotypes:
    """A sample of a population in which alleles and haplotypes are independent."""
    return [(int(rng.random() < site.frequency), int(rng.random() < site.frequency)) for site in sites]


def haplotype(contig: Contig, sites: Sequence[Site], genotypes: Genotypes, copy: int) -> str:
    """One of the two copies (0 or 1) of a contig, with the alleles it carries."""
    parts, at = [], 0
    for site, alleles in zip(sites, genotypes, strict=True):
        if site.contig == contig.name and alleles[copy]:
            parts += [contig.sequence[at : site.start], site.alt]
            at = site.start + len(site.ref)
    return "".join([*parts, contig.sequence[at:]])
