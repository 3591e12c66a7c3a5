"""Alleles that the panel lacks: how likely they are, given that none of its haplotypes has them.

In a population at equilibrium, the j-th haplotype is expected to show theta / (j - 1) alleles that none before it has
shown (Watterson 1975, Theoretical Population Biology 7:256). The caller's prior is that of n haplotypes of which only
the reference is known: theta (1 + 1/2 + ... + 1/n). Behind a panel of H haplotypes they are expected to show
theta (1/H + 1/(H+1) + ... + 1/(H+n-1)) alleles that it lacks. The prior is lowered by the ratio of the two, in which
theta cancels: not at all for a panel of one haplotype.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sample_likelihoods import Key, is_snp

FILTER = "NotInPanel"
QUAL, FILTERS = 5, 6  # columns


@dataclass(frozen=True)
class AbsentAlleles:
    """The filter of alleles that the panel lacks.

    Attributes:
        prior: How often the caller expects a site to vary.
        min_qual: The least QUAL of an allele that passes.
    """

    prior: float
    min_qual: float

    def header(self) -> str:
        """Return the header line of the filter."""
        description = f"The panel lacks the allele, and given that, QUAL is below {self.min_qual:g}"
        return f'##FILTER=<ID={FILTER},Description="{description}">\n'

    def qualities(
        self, evidence: Mapping[Key, int], new: int, known: int, rarest: Mapping[bool, int]
    ) -> Mapping[Key, float]:
        """Return the QUAL of alleles, without those of a kind of which the panel has none.

        Args:
            evidence: Of each allele, the sum of the Phred-scaled likelihoods that samples have no copy of it, those of
                their likeliest genotypes being 0.
            new: The number of haplotypes of the samples.
            known: The number of haplotypes of the panel.
            rarest: The fewest copies of an allele in the panel, of SNPs (True) and indels, if it has any.
        """
        priors = {kind: self.prior * prior_ratio(new, known, copies) for kind, copies in rarest.items()}
        return {key: quality(phred, priors[is_snp(key)]) for key, phred in evidence.items() if is_snp(key) in priors}

    def revised(self, line: str, quality: float) -> tuple[str, bool]:
        """Return a record with the lower of its QUAL and another, and True if that fails the filter."""
        fields = line.split("\t", FILTERS + 1)
        fields[QUAL] = f"{min(float(fields[QUAL]), round(quality, 2)):g}"
        fails = quality < self.min_qual
        if fails:
            fields[FILTERS] = FILTER if fields[FILTERS] in ("PASS", ".") else f"{fields[FILTERS]};{FILTER}"
        return "\t".join(fields), fails


def prior_ratio(new: int, known: int, rarest: int) -> float:
    """Return how much rarer alleles of new haplotypes are that known ones lack than those that one known one lacks.

    Args:
        new: The number of new haplotypes.
        known: The number of known haplotypes.
        rarest: The fewest copies that an allele has in the known ones, more than 1 if rare alleles were removed. Those
            of i copies, theta / i of them, have a share of i / H in a haplotype: each i < `rarest` adds theta / H.

    >>> [round(prior_ratio(6, known, 1), 5) for known in (1, 100, 6326)], round(prior_ratio(6, 6326, 10), 5)
    ([1.0, 0.0239, 0.00039], 0.00387)
    """
    numbers = np.arange(new)
    return min(1.0, float(rarest * (1 / (known + numbers)).sum() / (1 / (1 + numbers)).sum()))


def quality(phred: float, prior: float) -> float:
    """Return the QUAL of an allele: Phred-scaled, the probability that no sample has it.

    Args:
        phred: The Phred-scaled likelihood that no sample has it, that of the likeliest genotypes being 0.
        prior: The probability of such an allele.

    >>> round(quality(61, 0.05)), round(quality(61, 0.00002)), quality(0, 0.0)
    (48, 14, 0.0)
    """
    if prior <= 0:
        return 0.0
    odds = phred / 10 * np.log(10) + np.log(prior)
    return float(10 / np.log(10) * np.logaddexp(0, odds))
