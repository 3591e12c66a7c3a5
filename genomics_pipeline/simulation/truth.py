"""The planted genotypes as a VCF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from genomics_pipeline.simulation.genotypes import Genotypes
from genomics_pipeline.simulation.reference import SimulatedContig
from genomics_pipeline.simulation.sites import Site


def write_truth(
    path: Path, contigs: Sequence[SimulatedContig], sites: Sequence[Site], samples: Mapping[str, Genotypes]
) -> None:
    """Write a bgzipped, tabix-indexed VCF of phased genotypes.

    Args:
        path: The file, ending in ``.vcf.gz``; its index ends in ``.vcf.gz.tbi``.
        contigs: The reference.
        sites: The planted sites, in order.
        samples: The alleles of each sample at those sites.
    """
    import pysam

    plain = path.with_suffix("")
    plain.write_text("".join(f"{line}\n" for line in _lines(contigs, sites, samples)))
    pysam.tabix_index(str(plain), preset="vcf", force=True)  # also compresses, and removes the plain file


def _lines(
    contigs: Sequence[SimulatedContig], sites: Sequence[Site], samples: Mapping[str, Genotypes]
) -> Iterator[str]:
    yield "##fileformat=VCFv4.2"
    yield '##FILTER=<ID=PASS,Description="All filters passed">'
    for contig in contigs:
        yield f"##contig=<ID={contig.name},length={len(contig.sequence)}>"
    yield '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype: alleles of the two haplotypes">'
    yield "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples])
    for site, *genotypes in zip(sites, *samples.values(), strict=True):
        alleles = ["|".join(map(str, one)) or "." for one in genotypes]
        yield "\t".join([site.contig, str(site.start + 1), ".", site.ref, site.alt, ".", "PASS", ".", "GT", *alleles])
