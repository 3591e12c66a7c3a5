"""Variants of one sample, and which of them the reads decide for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pysam
import pysam.bcftools
from common.program import BadInput
from known_bases import Reason, Rule


@dataclass(frozen=True, slots=True)
class CalledVariant:
    """A variant; positions are counted from 0.

    Attributes:
        record: The number of its record in the file.
        start: Of the bases of REF.
        end: Of the bases of REF.
        first_changed: The first base that differs: of a deletion, the one behind the base that both alleles have.
        reads: The reads that have its alleles.
        depth: All reads that tell.
        reason: Why it is not taken; None if it is.
    """

    record: int
    start: int
    end: int
    first_changed: int
    reads: int
    depth: int
    reason: Reason | None


def read_variants(vcf: str, sample: str, rule: Rule) -> dict[str, list[CalledVariant]]:
    """Return the variants of each contig in order.

    Args:
        vcf: The file.
        sample: The sample, whose genotypes count.
        rule: The rule by which alleles are taken.

    Raises:
        BadInput: for a file that is no VCF, or lacks the sample or the depths of alleles.
    """
    found: dict[str, list[CalledVariant]] = defaultdict(list)
    try:
        with pysam.VariantFile(vcf) as records:
            if sample not in records.header.samples or "AD" not in records.header.formats:
                raise BadInput(f"{vcf}: expected genotypes of sample {sample} with FORMAT/AD, found none")
            for number, record in enumerate(records):
                if (one := _variant(number, record, sample, rule)) is not None:
                    found[record.chrom].append(one)
    except (OSError, ValueError):
        raise BadInput(f"{vcf}: expected a VCF, found one that is cut off or of another kind") from None
    return {contig: settle(variants, rule) for contig, variants in found.items()}


def _variant(number: int, record: pysam.VariantRecord, sample: str, rule: Rule) -> CalledVariant | None:
    """Return a record as a variant; None if the sample has none there."""
    call = record.samples[sample]
    genotype = sorted({index for index in call["GT"] if index is not None})
    if not any(genotype):
        return None
    alleles = [(record.alleles or ())[index] for index in genotype]
    depths = [depth or 0 for depth in call["AD"]]
    reads, depth = sum(depths[index] for index in genotype), sum(depths)
    reason = rule.reason(reads, depth)
    if reason is not Reason.LOW_DEPTH and set(record.filter.keys()) - {"PASS"}:
        reason = Reason.FILTERED
    elif len({len(allele) for allele in alleles}) > 1:
        reason = reason or Reason.MIXED  # no code stands for a base that one of two alleles lacks
    is_deletion = record.rlen > 1 and all(allele[0] == (record.ref or "")[0] for allele in alleles)
    start, end = record.start, record.start + record.rlen
    return CalledVariant(number, start, end, start + is_deletion, reads, depth, reason)


def settle(variants: Sequence[CalledVariant], rule: Rule) -> list[CalledVariant]:
    """Return sorted variants with a reason for those that others contradict: their REF overlap.

    The reads of the others then count against a variant, as those of the reference do.
    """
    against = [0] * len(variants)
    for index, one in enumerate(variants):
        other = index + 1
        while other < len(variants) and variants[other].start < one.end:
            against[index] += variants[other].reads
            against[other] += one.reads
            other += 1
    return [
        replace(one, reason=one.reason or rule.reason(one.reads, one.depth + more))
        for one, more in zip(variants, against, strict=True)
    ]


def write_taken(vcf: str, variants: Mapping[str, Sequence[CalledVariant]], target: str) -> int:
    """Write the records of the variants that are taken to an indexed file, and return their number.

    Args:
        vcf: The file of all variants.
        variants: The variants of each contig.
        target: The file to write.
    """
    taken = {one.record for found in variants.values() for one in found if one.reason is None}
    with pysam.VariantFile(vcf) as records, pysam.VariantFile(target, "wz", header=records.header) as out:
        for number, record in enumerate(records):
            if number in taken:
                out.write(record)
    pysam.bcftools.index("--csi", target, catch_stdout=False)
    return len(taken)
