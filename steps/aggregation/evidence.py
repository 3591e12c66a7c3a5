"""The evidence of a cohort's samples for alleles, which decides whether these become alleles of a site.

An allele that a single read shows, or reads that slipped in a repeat, is the most likely one in some sample of a large
cohort at nearly every position. Here it must be able to pass in the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log10
from typing import NamedTuple, TypeVar

from likelihoods import called_alone

MOST_EXPECTED = 0.99  # as `bcftools call` limits its prior

Allele = TypeVar("Allele")


class Limits(NamedTuple):
    """The limits of the soft filters, and the priors by which QUAL is computed.

    Attributes:
        min_qual: The least QUAL.
        min_depth: The least depth of a carrier.
        max_strand_bias: The greatest strand bias, Phred-scaled.
        carrier_prior: How often a site of one sample is expected to vary.
        prior: How often a site of the cohort is expected to vary.
    """

    min_qual: float
    min_depth: int
    max_strand_bias: int
    carrier_prior: float
    prior: float

    def least_evidence(self, samples: int) -> float:
        """Return how much likelier a variant must make the reads, Phred-scaled, for a cohort's QUAL to reach the limit.

        `bcftools call` multiplies the prior by Watterson's factor of the number of copies, and adds up the likelihoods
        of both sets of alleles that have the variant, with and without the reference.

        >>> [round(Limits(20, 2, 25, 0.02, 0.05).least_evidence(samples), 1) for samples in (1, 3, 200, 3202)]
        [30.0, 26.4, 21.8, 20.3]
        """
        expected = (self.prior or 1) * sum(1 / copies for copies in range(1, max(2 * samples, 2)))
        return self.min_qual - 10 * log10(2 * min(expected, MOST_EXPECTED))


class Reads(NamedTuple):
    """The reads of a sample, as a record of its gVCF describes them.

    Attributes:
        phred: The likelihoods of genotypes of two copies.
        depths: The reads of each allele.
        strand_bias: Phred-scaled; None if not known.
    """

    phred: tuple[int, ...]
    depths: tuple[int, ...]
    strand_bias: int | None


class Evidence(NamedTuple):
    """The evidence of samples for an allele; that of several samples adds up.

    Attributes:
        likelier: How much likelier it makes their reads, Phred-scaled: of an SNP than all genotypes without the allele,
            of an indel than the reference, as several alleles of a repeat may fit equally well.
        alone: Whether one of them, called alone, has the allele, with enough QUAL and no strand bias; looked at
            for indels.
    """

    likelier: int = 0
    alone: bool = False

    def plus(self, other: Evidence) -> Evidence:
        """Return the evidence of both."""
        return Evidence(self.likelier + other.likelier, self.alone or other.alone)


def evidence_of_indel(reads: Reads, allele: int, limits: Limits) -> Evidence:
    """Return the evidence of a sample's record for an indel, by its number there.

    Args:
        reads: The record.
        allele: The number of the allele.
        limits: What is asked of a variant.
    """
    likelier = reads.phred[0] - min(reads.phred)
    if (reads.strand_bias or 0) > limits.max_strand_bias:
        return Evidence(likelier)
    kept, qual = called_alone(reads.phred, reads.depths, limits.carrier_prior)
    return Evidence(likelier, allele in kept and qual >= limits.min_qual)


def alleles_of_site(evidence: Mapping[Allele, Evidence], indel: bool, least: float) -> list[Allele]:
    """Return the alleles of a place of the cohort that become those of its site; none if it cannot pass.

    Reads slip at the same repeats in all samples, so that the evidence of several for an indel does not add up: where
    one allele is evident in a sample alone, so must the others be. A place where none is has all of them, and fails a
    filter.

    Args:
        evidence: The evidence of the cohort for each allele.
        indel: They are indels.
        least: The least evidence for a variant of the cohort: see `Limits.least_evidence`.
    """
    if not indel:
        return [allele for allele, one in evidence.items() if one.likelier >= least]
    alone = [allele for allele, one in evidence.items() if one.alone]
    enough = sum(one.likelier for one in evidence.values()) >= least
    return alone or (list(evidence) if enough else [])
