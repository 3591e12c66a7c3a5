"""The joint records that an interval owns: genotypes over deletions, filters and allele frequencies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import mul
from typing import NamedTuple

from cells import CALLED, FORMAT, Cells, Genotype
from cells_of_sites import batches, cells_of
from deletions import DELETED, Deletions, over_deletions
from evidence import Limits
from genotyping import Called, CalledSite
from gvcf_records import has_deletion
from interval import Ownership
from strands import pooled_bias
from tile_columns import NUMBER

UNTIL_GENOTYPED = ("AC", "AN", "DP4")  # of `bcftools call`: counted again here; strands of blocks are not known
UNUSED_HEADER = (*(f"##INFO=<ID={name}," for name in ("DP4", "I16", "QS")), f"##FORMAT=<ID={NUMBER},")
AF_HEADER = '##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency among the called genotypes">\n'


class Filters(NamedTuple):
    """The soft filters, and their limits."""

    limits: Limits

    def header(self) -> str:
        """Return the header lines that declare the filters."""
        limits = self.limits
        return (
            f'##FILTER=<ID=LowQual,Description="QUAL below {limits.min_qual:g}; of an indel, in each carrier alone">\n'
            f'##FILTER=<ID=LowDepth,Description="No carrier with {limits.min_depth} high-quality bases">\n'
            f'##FILTER=<ID=StrandBias,Description="Phred-scaled strand bias above {limits.max_strand_bias} '
            'in every carrier, or of all reads, nearly all of which are on one strand">\n'
        )

    def column(self, qual: float, carriers: Sequence[Genotype], indel: bool, pooled_bias: float) -> str:
        """Return the FILTER column of a record.

        Args:
            qual: Its QUAL.
            carriers: Its carriers.
            indel: It is an indel. Errors in repeats recur in samples: those of several do not add up to evidence.
            pooled_bias: The strand bias of all reads together.
        """
        biases = [one.strand_bias for one in carriers if one.strand_bias is not None]
        prior, least = self.limits.carrier_prior, self.limits.min_qual
        names = {
            "LowQual": qual < least or (indel and all(one.quality_alone(prior) < least for one in carriers)),
            "LowDepth": all(one.depth < self.limits.min_depth for one in carriers),
            "StrandBias": max(min(biases, default=0), pooled_bias) > self.limits.max_strand_bias,
        }
        return ";".join(name for name, applies in names.items() if applies) or "PASS"


def joint_line(site: CalledSite, cells: Cells, filters: Filters, deletions: Deletions, is_own: bool) -> str | None:
    """Return a record of `bcftools call` as one of the joint VCF; None if it is not own or no sample has a variant.

    Args:
        site: The record.
        cells: Its cells.
        filters: The soft filters.
        deletions: The deletions of earlier records, to which those of this record are added.
        is_own: The interval owns the record; of another one deletions matter.
    """
    record = site.record
    if not is_own and not has_deletion(record.alleles):
        return None
    ref, *alts = record.alleles
    carriers = [one.genotype for one in cells.carriers(cells.different)]
    if not carriers:
        return None
    spanning = deletions.at(record.contig, record.pos)
    deletions.add(record.pos, record.alleles, cells)
    if not is_own:
        return None
    over = over_deletions(cells, spanning) if spanning else None
    column = filters.column(float(record.qual), carriers, site.is_indel, pooled_bias(record.info.get("DP4")))
    if over is not None:
        cells, alts = over, [*alts, DELETED]
    info = with_counts(record.info, len(alts), cells)
    place = f"{record.contig}\t{record.pos}\t.\t{ref}\t{','.join(alts)}"
    return f"{place}\t{record.qual}\t{column}\t{info}\t{FORMAT}\t{cells.columns()}\n"


def with_counts(info: Mapping[str, str | None], alts: int, cells: Cells) -> str:
    """Return an INFO column with AC, AN and AF of the genotypes.

    Args:
        info: The fields of `bcftools call`.
        alts: The number of alternate alleles.
        cells: The cells of its samples.
    """
    copies = [0] * (alts + 1)
    samples = cells.counts
    for cell, many in zip(cells.carriers(cells.different), cells.carriers(samples), strict=True):
        for allele in cell.genotype.alleles:
            if allele is not None:
                copies[allele] += many
    called, counts = sum(map(mul, samples, map(CALLED, cells.different))), copies[1:]
    kept = [name if value is None else f"{name}={value}" for name, value in info.items() if name not in UNTIL_GENOTYPED]
    kept += [f"AC={','.join(map(str, counts))}", f"AN={called}"]
    if called:
        kept.append(f"AF={','.join(f'{count / called:.6g}' for count in counts)}")
    return ";".join(kept)


def write_joint(called: Called, own: Ownership, filters: Filters, write: Callable[[str], None]) -> list[str]:
    """Write the joint records that start within the interval, and return the lines of the header.

    Args:
        called: What `bcftools call` wrote.
        own: The interval.
        filters: The soft filters.
        write: Writes text to the output.
    """
    deletions = Deletions()
    for batch in batches(called.sites):
        for site, cells in zip(batch, cells_of(batch), strict=True):
            joint = joint_line(site, cells, filters, deletions, (site.record.contig, site.record.pos) in own)
            if joint is not None:
                write(joint)
    return [line for line in called.header if not line.startswith(UNUSED_HEADER)]
