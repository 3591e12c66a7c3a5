"""The copies of each contig that a simulated sample has: sex chromosomes and a mitochondrial genome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genomics_pipeline.simulation.genotypes import Genotypes, haplotype
from genomics_pipeline.simulation.reference import SimulatedContig
from genomics_pipeline.simulation.sites import Site

XX, XY = "XX", "XY"
X, Y, MITOCHONDRION = "chrX", "chrY", "chrM"
PSEUDOAUTOSOMAL_SHARE = 0.1  # of X, at its beginning; Y in the reference begins behind it, as where it is masked


def pseudoautosomal_bp(contig: SimulatedContig) -> int:
    """Return the length of the region of X that Y has as well."""
    return round(len(contig.sequence) * PSEUDOAUTOSOMAL_SHARE)


def copies_at(contig: SimulatedContig, start: int, sex: str) -> int:
    """Return how many copies a sample has of a position, counted from 0.

    >>> x, y, m = (SimulatedContig(name, "ACGTACGT") for name in (X, Y, MITOCHONDRION))
    >>> [copies_at(x, 0, XY), copies_at(x, 1, XY), copies_at(x, 1, XX)]
    [2, 1, 2]
    >>> [copies_at(y, 1, XY), copies_at(y, 1, XX), copies_at(m, 1, XX)]
    [1, 0, 1]
    """
    if contig.name == X:
        return 2 if sex == XX or start < pseudoautosomal_bp(contig) else 1
    if contig.name == Y:
        return 1 if sex == XY else 0
    return 1 if contig.name == MITOCHONDRION else 2


def with_copies(contigs: Sequence[SimulatedContig], sites: Sequence[Site], genotypes: Genotypes, sex: str) -> Genotypes:
    """Return genotypes of two copies each as those of as many copies as the sample has.

    Args:
        contigs: The reference.
        sites: The planted sites, in order.
        genotypes: The alleles on two copies at those sites.
        sex: XX or XY.
    """
    by_name = {contig.name: contig for contig in contigs}
    return [
        alleles[: copies_at(by_name[site.contig], site.start, sex)]
        for site, alleles in zip(sites, genotypes, strict=True)
    ]


def haplotypes(
    contigs: Sequence[SimulatedContig], sites: Sequence[Site], genotypes: Genotypes, sex: str
) -> Iterator[str]:
    """Yield all sequences of a sample: of the mitochondrial genome two equal ones, so that its depth is the others'.

    Args:
        contigs: The reference.
        sites: The planted sites, in order.
        genotypes: The alleles on each copy at those sites.
        sex: XX or XY.
    """
    for contig in contigs:
        if contig.name == X and sex == XY:
            shared = SimulatedContig(X, contig.sequence[: pseudoautosomal_bp(contig)])
            yield from (haplotype(contig, sites, genotypes, 0), haplotype(shared, sites, genotypes, 1))
        elif contig.name == MITOCHONDRION:
            yield from [haplotype(contig, sites, genotypes, 0)] * 2
        else:
            yield from (haplotype(contig, sites, genotypes, copy) for copy in range(copies_at(contig, 0, sex)))


def ploidy_lines(contigs: Sequence[SimulatedContig]) -> Iterator[str]:
    """Yield the lines of a file for ``bcftools call --ploidy-file``."""
    for contig in contigs:
        length = len(contig.sequence)
        if contig.name == X:
            yield f"{X} {pseudoautosomal_bp(contig) + 1} {length} M 1\n"
        elif contig.name == Y:
            yield f"{Y} 1 {length} M 1\n{Y} 1 {length} F 0\n"
        elif contig.name == MITOCHONDRION:
            yield f"{MITOCHONDRION} 1 {length} M 1\n{MITOCHONDRION} 1 {length} F 1\n"
