"""Imputation of samples over the sites of a window: the sampler, then exact genotypes in overlapping segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from diploid_model import Alleles, Genotypes, genotypes
from haplotype_model import Floats, Panel, Sampling, sample_haplotypes
from numpy.typing import NDArray
from state_choice import choose_states

SEGMENT_SITES = 768  # that are kept of a segment; memory is bounded by it
OVERLAP_SITES = 128  # on both sides


class Imputed(NamedTuple):
    """The genotypes of S samples at M sites.

    Attributes:
        probabilities: Of 0, 1 and 2 copies of the alternate allele; shape (M, S, 3).
        first_has_more: True if a heterozygous sample's alternate allele is on its first haplotype; shape (M, S).
    """

    probabilities: Floats
    first_has_more: NDArray[np.bool_]


def impute(
    panel: Panel, likelihoods: Floats, random: Sequence[np.random.Generator], sampling: Sampling, states: int
) -> Imputed:
    """Return the genotypes of samples.

    Args:
        panel: The panel over M sites.
        likelihoods: Of 0, 1 and 2 copies of the alternate allele, not all 0; shape (M, S, 3).
        random: A generator for each sample, so that the other samples do not matter.
        sampling: The settings of the sampler.
        states: The number of haplotypes of the panel of which all pairs are looked at.
    """
    of_minor = np.where(panel.flipped[:, None, None], likelihoods[..., ::-1], likelihoods)
    if panel.haplotypes > states:
        haplotypes = sample_haplotypes(panel, of_minor, random, sampling)
    else:  # all are chosen
        haplotypes = np.zeros((likelihoods.shape[1], len(panel.carriers), 1), dtype=bool)
    found = [_sample(panel, of_minor[:, number], own, sampling.error, states) for number, own in enumerate(haplotypes)]
    probabilities = np.stack([one.probabilities for one in found], axis=1)
    phased = np.stack([one.phased for one in found], axis=1)
    first_has_more = np.where(panel.flipped[:, None], phased[..., 1], phased[..., 0])
    return Imputed(np.where(panel.flipped[:, None, None], probabilities[..., ::-1], probabilities), first_has_more)


def _sample(panel: Panel, likelihoods: Floats, own: Alleles, error: float, states: int) -> Genotypes:
    """Return the genotypes of a sample, those of all segments together.

    Args:
        panel: The panel over M sites.
        likelihoods: Of 0, 1 and 2 copies of the minor allele; shape (M, 3).
        own: Haplotypes that the sample may have; shape (M, haplotypes).
        error: The probability that a haplotype's allele differs from its state's.
        states: The number of haplotypes of the panel.
    """
    probabilities = np.empty(likelihoods.shape)
    phased = np.zeros((len(likelihoods), 2), dtype=bool)
    for start, end in _segments(len(likelihoods)):
        sites = slice(max(0, start - OVERLAP_SITES), min(len(likelihoods), end + OVERLAP_SITES))
        carriers = panel.carriers[sites]
        chosen = choose_states(carriers, panel.haplotypes, own[sites], states)
        alleles = _alleles(panel, sites, chosen)
        found = genotypes(alleles, likelihoods[sites], panel.switch[sites], error)
        shared = slice(sites.start, start)
        here = found.phased[: start - sites.start]
        same, swapped = (int((phased[shared] == pair).sum()) for pair in (here, here[:, ::-1]))
        pairs = found.phased[:, ::-1] if swapped > same else found.phased
        probabilities[start:end] = found.probabilities[start - sites.start : end - sites.start]
        phased[start:end] = pairs[start - sites.start : end - sites.start]
    return Genotypes(probabilities, phased)


def _segments(sites: int) -> Iterator[tuple[int, int]]:
    count = -(-sites // SEGMENT_SITES)
    for number in range(count):
        yield sites * number // count, sites * (number + 1) // count


def _alleles(panel: Panel, sites: slice, chosen: NDArray[np.int64]) -> Alleles:
    """Return the alleles of chosen haplotypes, True for the minor one; shape (sites, haplotypes)."""
    carriers = panel.carriers[sites]
    place = np.full(panel.haplotypes, -1)
    place[chosen] = np.arange(len(chosen))
    alleles = np.zeros((len(carriers), len(chosen)), dtype=bool)
    for row, rows in enumerate(carriers):
        found = place[rows]
        alleles[row, found[found >= 0]] = True
    return alleles
