"""The gVCFs of a cohort merged at the sites at which a sample has evidence for a variant, as input of `bcftools call`.

`bcftools merge` would write a row for nearly every base, and takes the likelihood of one reference read against a new
allele for that of two copies of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

import pysam
from common.program import BadInput
from common.tabix_file import open_tabix
from gvcf_headers import GvcfHeader
from gvcf_records import I16, Allele, Base, Place, Site, evident_in, fetch, site_of
from interval import Region
from sample_columns import Part, SampleColumns

HEADER = """##fileformat=VCFv4.2
##FILTER=<ID=PASS,Description="All filters passed">
##INFO=<ID=INDEL,Number=0,Type=Flag,Description="Indicates that the variant is an INDEL.">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Number of high-quality bases, summed over the samples">
##INFO=<ID=I16,Number=16,Type=Float,Description="Auxiliary tag used for calling">
##INFO=<ID=QS,Number=R,Type=Float,Description="Auxiliary tag used for calling">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="List of Phred-scaled genotype likelihoods">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Number of high-quality bases">
##FORMAT=<ID=SP,Number=1,Type=Integer,Description="Phred-scaled strand bias P-value">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Allelic depths (high-quality bases)">
"""
BLOCK_BP, BLOCKS = 1 << 16, 4  # of the reference, held at once: an interval needs no whole contig

Item = TypeVar("Item")


class Cohort(NamedTuple):
    """The gVCFs of a cohort, and the spans of an interval.

    Attributes:
        gvcfs: Their paths.
        spans: The spans, in the reference's order.
        reference: The FASTA file.
        at_once: The number of gVCFs whose columns are in memory at once.
    """

    gvcfs: Sequence[str]
    spans: Sequence[Region]
    reference: str
    at_once: int


def find_sites(cohort: Cohort) -> list[Site]:
    """Return the sites of a cohort, in order, each with all alleles for which a sample has evidence.

    Raises:
        BadInput: for a gVCF that cannot be read.
    """
    found: dict[Place, set[Allele]] = defaultdict(set)
    with pysam.FastaFile(cohort.reference) as fasta:
        base = cached_base(fasta)
        for path in cohort.gvcfs:
            with open_gvcf(path) as gvcf:
                for span in cohort.spans:
                    for place, allele in reported(path, evident_in(fetch(gvcf, span), base)):
                        found[place].add(allele)
    rank = {span.contig: number for number, span in enumerate(cohort.spans)}
    places = sorted(found, key=lambda place: (rank[place.contig], place.pos, place.indel))
    return [site_of(place, found[place]) for place in places]


def cached_base(fasta: pysam.FastaFile) -> Base:
    """Return a function that returns the base of a contig at a position, from 1, in upper case."""

    @lru_cache(BLOCKS)
    def block(contig: str, number: int) -> str:
        return fasta.fetch(contig, number * BLOCK_BP, (number + 1) * BLOCK_BP).upper()

    def base(contig: str, pos: int) -> str:
        number, place = divmod(pos - 1, BLOCK_BP)
        return block(contig, number)[place]

    return base


def open_gvcf(path: str) -> pysam.TabixFile:
    """Open an indexed gVCF.

    Raises:
        BadInput: if it cannot be opened.
    """
    try:
        return open_tabix(path)
    except (OSError, ValueError):
        raise BadInput(f"{path}: expected a gVCF and its index, found one that cannot be read") from None


def reported(path: str, items: Iterable[Item]) -> Iterator[Item]:
    """Yield items that are read from a gVCF.

    Raises:
        BadInput: if it is damaged.
    """
    try:
        yield from items
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise BadInput(f"{path}: expected a gVCF of bcftools mpileup, found one that is damaged: {error}") from None


def merged_rows(cohort: Cohort, sites: Sequence[Site], scratch: Path) -> Iterator[tuple[Site, str]]:
    """Yield each site with its row, which has the columns of all samples.

    Args:
        cohort: The cohort.
        sites: The sites, in order.
        scratch: A folder for the columns of batches.

    Raises:
        BadInput: for a gVCF that cannot be read.
    """
    batches = [
        cohort._replace(gvcfs=cohort.gvcfs[start : start + cohort.at_once])
        for start in range(0, len(cohort.gvcfs), cohort.at_once)
    ]
    if len(batches) == 1:
        for site, part in zip(sites, batch_parts(cohort, sites), strict=True):
            yield site, row(site, [part])
        return
    files = [scratch / f"batch-{number}.tsv" for number in range(len(batches))]
    for batch, file in zip(batches, files, strict=True):
        with file.open("w") as out:
            out.writelines(f"{part.sums}\t{part.columns}\n" for part in batch_parts(batch, sites))
    with ExitStack() as stack:
        lines = [stack.enter_context(file.open()) for file in files]
        for site, *texts in zip(sites, *lines, strict=True):
            yield site, row(site, [Part(*text.rstrip("\n").split("\t", 1)) for text in texts])
    for file in files:
        file.unlink()


def batch_parts(batch: Cohort, sites: Sequence[Site]) -> Iterator[Part]:
    """Yield the part of a batch of each site."""
    of_spans = [SampleColumns([site for site in sites if _is_in(site, span)]) for span in batch.spans]
    with pysam.FastaFile(batch.reference) as fasta:
        base = cached_base(fasta)
        for path in batch.gvcfs:
            with open_gvcf(path) as gvcf:
                for span, columns in zip(batch.spans, of_spans, strict=True):
                    columns.add(reported(path, fetch(gvcf, span)), base)
    for columns in of_spans:
        yield from columns.parts()


def _is_in(site: Site, span: Region) -> bool:
    return site.place.contig == span.contig and span.start <= site.place.pos <= span.end


def row(site: Site, parts: Sequence[Part]) -> str:
    """Return the row of a site as a line of a VCF."""
    sums = [sum(values) for values in zip(*(map(float, part.sums.split(",")) for part in parts), strict=True)]
    depth, *values = [f"{value:.10g}" for value in sums]
    info = f"DP={depth};I16={','.join(values[:I16])};QS={','.join(values[I16:])}"
    if site.place.indel:
        info = f"INDEL;{info}"
    fixed = f"{site.place.contig}\t{site.place.pos}\t.\t{site.ref}\t{','.join(site.alts)}\t0\t.\t{info}\tPL:DP:SP:AD\t"
    return fixed + "\t".join(part.columns for part in parts) + "\n"


def merged_header(headers: Sequence[GvcfHeader], contigs: Mapping[str, int]) -> str:
    """Return the header of the rows: the contigs, and the samples with their patients.

    Args:
        headers: The headers of the gVCFs.
        contigs: The length of each contig in bp, by name.
    """
    lines = [f"##contig=<ID={name},length={length}>\n" for name, length in contigs.items()]
    patients = [line for header in headers for line in header.patients]
    names = [header.sample for header in headers]
    columns = "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names])
    return "".join([HEADER, *lines, *patients, f"{columns}\n"])
