"""The genotypes of one sample, over all pairs of chosen haplotypes of a panel.

The model is that of `haplotype_model` for both haplotypes at once: a state is an ordered pair. Probabilities are exact
for the chosen haplotypes, which the sampler alone does not reach: it changes one haplotype at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from haplotype_model import Floats
from numpy.typing import NDArray

Pairs = NDArray[np.float32]  # shape (K, K)
Alleles = NDArray[np.bool_]


class Genotypes(NamedTuple):
    """The genotypes of a sample at M sites.

    Attributes:
        probabilities: Of 0, 1 and 2 copies of the minor allele; shape (M, 3).
        phased: The alleles of the likeliest pair of haplotypes, True for the minor one; shape (M, 2).
    """

    probabilities: Floats
    phased: Alleles


def genotypes(alleles: Alleles, likelihoods: Floats, switch: Floats, error: float) -> Genotypes:
    """Return the genotypes of a sample by the forward-backward algorithm, and a phase by tracing the likeliest back.

    Args:
        alleles: Those of K haplotypes, True for the minor one; shape (M, K).
        likelihoods: Of 0, 1 and 2 copies of the minor allele; shape (M, 3).
        switch: Of each site, the probability of a switch since the one before it; shape (M,).
        error: The probability that a haplotype's allele differs from its state's.
    """
    sites, count = alleles.shape
    minor = np.where(alleles, 1 - error, error).astype(np.float32)
    before = np.empty((sites, count, count), np.float32)
    pairs = np.full((count, count), 1 / count**2, np.float32)
    for site in range(sites):
        before[site] = pairs = _switched(pairs, switch[site]) if site else pairs
        pairs = pairs * _emission(minor[site], likelihoods[site])
        pairs /= pairs.sum()
    phased = _trace(before, minor, alleles, likelihoods, switch)
    after = np.ones((count, count), np.float32)
    probabilities = np.empty((sites, 3))
    for site in range(sites - 1, -1, -1):
        probabilities[site] = _posterior(before[site] * after, minor[site], likelihoods[site])
        after *= _emission(minor[site], likelihoods[site])
        after = _switched(after, switch[site])
        after /= after.max()
    return Genotypes(probabilities, phased)


def _emission(minor: NDArray[np.float32], likelihoods: Floats) -> Pairs:
    """Return the likelihood of each pair; it is linear in the probability of each haplotype's minor allele."""
    none, one, two = (np.float32(value) for value in likelihoods)
    of_first, with_second = none + (one - none) * minor, (one - none) + (two - 2 * one + none) * minor
    return of_first[:, None] + with_second[:, None] * minor[None, :]


def _switched(pairs: Pairs, switch: float) -> Pairs:
    """Return the sums over all pairs at the next site, or, of the backward algorithm, at the one before."""
    count = len(pairs)
    stay, change = np.float32(1 - switch), np.float32(switch / count)
    first, second = pairs.sum(1), pairs.sum(0)
    moved = pairs * (stay * stay)
    moved += (stay * change * first + change * change * first.sum())[:, None]
    moved += (stay * change * second)[None, :]
    return moved


def _posterior(pairs: Pairs, minor: NDArray[np.float32], likelihoods: Floats) -> Floats:
    major = 1 - minor
    with_minor, with_major = pairs @ minor, pairs @ major
    weights = np.array([major @ with_major, minor @ with_major + major @ with_minor, minor @ with_minor])
    found: Floats = weights.astype(float) * likelihoods
    found /= found.sum()
    return found


def _trace(
    before: NDArray[np.float32], minor: NDArray[np.float32], alleles: Alleles, likelihoods: Floats, switch: Floats
) -> Alleles:
    """Return the alleles of pairs that follow each other, from the last site, each the likeliest given the next."""
    sites, count = alleles.shape
    phased = np.empty((sites, 2), dtype=bool)
    first = second = 0
    for site in range(sites - 1, -1, -1):
        pairs = before[site] * _emission(minor[site], likelihoods[site])
        stay, change = (1 - switch[site + 1], switch[site + 1] / count) if site + 1 < sites else (0.0, 1.0)
        pairs[first] *= (stay + change) / max(change, 1e-30)
        pairs[:, second] *= (stay + change) / max(change, 1e-30)
        first, second = divmod(int(pairs.argmax()), count)
        phased[site] = alleles[site, first], alleles[site, second]
    return phased
