"""Likelihoods of a sample's genotypes, Phred-scaled, in VCF's order 0/0, 0/1, 1/1, 0/2, 1/2, 2/2, ..."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import log10

HALF = 10 * log10(2)  # of a read of an allele that only one of two copies has
REFERENCE_READ = 37  # of a read of the reference where no copy has it; what mpileup writes for one good read
LARGEST = 255  # as mpileup writes it
MOST_CERTAIN = 127  # as `bcftools call` writes GQ
MANY = 1 << 16  # different likelihoods


def likely(phred: int) -> float:
    """Return a likelihood from its Phred scale."""
    return float(10 ** (-phred / 10))


@lru_cache
def pairs(alleles: int) -> tuple[tuple[int, int], ...]:
    """Return the genotypes of two copies over a number of alleles, in VCF's order.

    >>> pairs(2)
    ((0, 0), (0, 1), (1, 1))
    """
    return tuple((first, second) for second in range(alleles) for first in range(second + 1))


@lru_cache
def homozygous(alleles: int) -> tuple[int, ...]:
    """Return the places of the genotypes of two equal alleles in VCF's order.

    >>> homozygous(3)
    (0, 2, 5)
    """
    return tuple(index_of(allele, allele) for allele in range(alleles))


def index_of(first: int, second: int) -> int:
    """Return the place of a genotype in VCF's order.

    >>> [index_of(*pair) for pair in pairs(3)] == list(range(6)) and index_of(2, 1) == index_of(1, 2)
    True
    """
    low, high = min(first, second), max(first, second)
    return high * (high + 1) // 2 + low


def of_two_copies(phred: Sequence[int], alleles: int) -> list[int]:
    """Return the likelihoods of two copies, which `bcftools call` takes for each sample, from those of one.

    Of one copy there are no heterozygotes, which are as unlikely as anything; likelihoods of two copies are left as
    they are.

    Args:
        phred: The likelihoods.
        alleles: The number of alleles with the reference.

    >>> of_two_copies([10, 0, 40], 3), of_two_copies([0, 60, 255], 2)
    ([10, 40, 0, 40, 40, 40], [0, 60, 255])
    """
    if len(phred) != alleles:
        return list(phred)
    return [phred[first] if first == second else max(phred) for first, second in pairs(alleles)]


def evident_alleles(phred: Sequence[int]) -> set[int]:
    """Return the alleles of the most likely genotype other than the reference; none where 0/0 is as likely.

    >>> evident_alleles([60, 0, 50]), evident_alleles([0, 0, 50]), evident_alleles([90, 60, 80, 60, 0, 70])
    ({1}, set(), {1, 2})
    """
    least = min(phred)
    if phred[0] == least:
        return set()
    high = 0
    while (high + 1) * (high + 2) // 2 <= len(phred) - 1:
        high += 1
    return {one for pair in pairs(high + 1) if phred[index_of(*pair)] == least for one in pair} - {0}


def of_depth(depth: int) -> list[int]:
    """Return the likelihoods of 0/0, 0/<*> and <*>/<*> where reads, as many as the depth, all have the reference.

    >>> of_depth(0), of_depth(1), of_depth(20)
    ([0, 0, 0], [0, 3, 37], [0, 60, 255])
    """
    return [0, min(round(HALF * depth), LARGEST), min(REFERENCE_READ * depth, LARGEST)]


def weights_of(phred: Sequence[int], depths: Sequence[int], ploidy: int) -> list[float]:
    """Return how probable each genotype of a sample is, up to a factor, as `bcftools call -m` weighs them.

    The sample is judged alone: the frequencies of alleles are their shares of its reads.

    Args:
        phred: The likelihoods.
        depths: The number of reads of each allele.
        ploidy: 1 or 2.
    """
    total = sum(depths) or 1
    shares = [depth / total for depth in depths]
    if ploidy > 1 and len(shares) == 2:  # as of nearly all sites
        one, two = shares
        priors = [one * one, one * two * 2, two * two]
    elif ploidy > 1:
        priors = [shares[one] * shares[two] * (1 + (one != two)) for one, two in pairs(len(depths))]
    else:
        priors = shares
    return [likely(value) * prior if prior else 0.0 for value, prior in zip(phred, priors, strict=True)]


def quality_of(place: int, weights: Sequence[float], phred: Sequence[int]) -> int:
    """Return the quality of a sample's most probable genotype.

    Few reads without an allele do not prove that it is not there, so that the likelihoods bound the quality.

    Args:
        place: The place of the genotype.
        weights: How probable each genotype is: see `weights_of`.
        phred: The likelihoods.

    >>> for phred, depths, ploidy in ((117, 0, 1), (1, 7), 2), ((0, 6, 38), (2, 0), 2), ((50, 0), (0, 3), 1):
    ...     weights = weights_of(phred, depths, ploidy)
    ...     place = weights.index(max(weights))
    ...     print(place, quality_of(place, weights, phred))
    2 6
    0 6
    1 50
    """
    others = sum(weights) - weights[place]
    certain = others <= weights[place] * likely(MOST_CERTAIN)
    quality = MOST_CERTAIN if certain else round(-10 * log10(others / sum(weights)))
    gap = min(*phred[:place], *phred[place + 1 :], phred[place] + MOST_CERTAIN) - phred[place]
    return quality if gap < 0 else min(quality, gap)


@lru_cache(MANY)
def called_alone(phred: tuple[int, ...], depths: tuple[int, ...], prior: float) -> tuple[tuple[int, ...], float]:
    """Return the alleles with which `bcftools call -m` explains the reads of one sample, and the QUAL that it gives.

    Of two copies there are at most two alleles, each of which some read shows. The frequencies of alleles are their
    shares of the reads, and each alternate allele costs the prior once.

    Args:
        phred: The likelihoods of two copies.
        depths: The number of reads of each allele.
        prior: How often a site is expected to vary.

    >>> for phred, depths in ((39, 0, 107), (5, 2)), ((34, 6, 0), (0, 2)), ((60, 39, 90, 0, 42, 80), (5, 1, 6)):
    ...     alleles, qual = called_alone(phred, depths, 0.02)
    ...     print(alleles, round(qual))
    (0, 1) 18
    (1,) 17
    (0, 2) 40
    """
    shown = [allele for allele, depth in enumerate(depths) if depth]
    sets = [(0,), *((one,) for one in shown if one), *((one, two) for two in shown for one in shown if one < two)]
    weights = [_weight(phred, depths, alleles) * prior ** sum(map(bool, alleles)) for alleles in sets]
    reference, total = weights[0], sum(weights)
    qual = -10 * log10(reference / total) if reference else float(LARGEST)
    return sets[max(range(len(sets)), key=weights.__getitem__)], qual


def _weight(phred: Sequence[int], depths: Sequence[int], alleles: Sequence[int]) -> float:
    """Return how likely reads are if a sample has no other than one or two alleles, as frequent as in its reads."""
    if len(alleles) == 1:
        return likely(phred[index_of(alleles[0], alleles[0])])
    one, two = alleles
    share = depths[one] / (depths[one] + depths[two])
    both = 2 * share * (1 - share) * likely(phred[index_of(one, two)])
    return share**2 * likely(phred[index_of(one, one)]) + both + (1 - share) ** 2 * likely(phred[index_of(two, two)])


def from_zero(phred: Sequence[int]) -> list[int]:
    """Return likelihoods whose least is 0, as the VCF specification defines PL (1.6.2).

    >>> from_zero([12, 3, 40])
    [9, 0, 37]
    """
    least = min(phred)
    return [value - least for value in phred]


def with_deleted(phred: Sequence[int], depths: Sequence[int], copies: int, certainty: int) -> list[int]:
    """Return likelihoods with one allele more, `*`: a deletion of the site, of which the sample has a number of copies.

    A copy that lacks the site gives no reads: x/* is as likely as x/x, apart from the evidence of the deletion itself.

    Args:
        phred: The likelihoods without the deletion.
        depths: The number of reads of each allele.
        copies: Copies that the deletion's own record says are deleted.
        certainty: Phred-scaled certainty of that.
    """
    without, one, both = [0 if deleted == copies else certainty for deleted in range(3)]
    deleted_one = [phred[place] + one for place in homozygous(len(depths))]
    deleted_both = (max(phred) if any(depths) else 0) + both
    return from_zero([*([value + without for value in phred] if without else phred), *deleted_one, deleted_both])
