"""The genotypes of each sample, and its two haplotypes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from genomics_pipeline.simulation.reference import SimulatedContig
from genomics_pipeline.simulation.sites import Site

# One sample's alleles (0 or 1) on each of its haplotypes, mostly two, for every site in order.
Genotypes = list[tuple[int, ...]]


def draw_genotypes(sites: Iterable[Site], rng: Random) -> Genotypes:
    """Draw a sample's genotypes, as from a population in which alleles and haplotypes are independent."""
    return [(int(rng.random() < site.frequency), int(rng.random() < site.frequency)) for site in sites]


def haplotype(contig: SimulatedContig, sites: Sequence[Site], genotypes: Genotypes, copy: int) -> str:
    """Return one of the copies of a contig, with the alleles that it carries.

    Args:
        contig: The contig.
        sites: The planted sites of all contigs, in order.
        genotypes: The sample's alleles at those sites.
        copy: 0 or 1.
    """
    parts, end = [], 0
    for site, alleles in zip(sites, genotypes, strict=True):
        if site.contig == contig.name and copy < len(alleles) and alleles[copy]:
            parts += [contig.sequence[end : site.start], site.alt]
            end = site.start + len(site.ref)
    return "".join([*parts, contig.sequence[end:]])
