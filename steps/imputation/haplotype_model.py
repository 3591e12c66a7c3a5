"""The model of Li and Stephens (2003, Genetics 165:2213): a haplotype is a mosaic of a panel's haplotypes, with errors.

A haplotype's alleles are emitted by a chain of hidden states, the panel's haplotypes, which switches between sites
with a probability from their genetic distance. Of a sample only the likelihoods of genotypes are known. So its two
haplotypes are sampled in turns, each given the other, by which likelihoods of genotypes become likelihoods of alleles
(Rubinacci et al. 2021, Nature Genetics 53:120). What they are like says which haplotypes of the panel matter to
`diploid_model`. All haplotypes of the panel are states here. What changes at a site are those that carry its minor
allele; all others follow by one factor and one summand, so that a site costs as much as it has carriers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
RANGE = 1e6  # a common factor outside of this range is multiplied into the states, before digits are lost
ONE_COLUMN = 1  # of which numpy sums in another order than of several


class Panel(NamedTuple):
    """The haplotypes of a panel over M sites.

    Attributes:
        carriers: Of each site, the haplotypes with its minor allele.
        flipped: Of each site, True if its minor allele is the reference's; shape (M,).
        haplotypes: The number of haplotypes.
        switch: Of each site, the probability of a switch since the one before it; shape (M,).
    """

    carriers: Sequence[Rows]
    flipped: NDArray[np.bool_]
    haplotypes: int
    switch: Floats

    @property
    def minor_frequency(self) -> Floats:
        """Return the frequency of each site's minor allele; shape (M,)."""
        return np.array([len(rows) for rows in self.carriers]) / self.haplotypes


class Sampling(NamedTuple):
    """The settings of the sampler.

    Attributes:
        error: The probability that a haplotype's allele differs from its state's.
        burn_in: Rounds before those that count.
        rounds: Rounds that count.
        chains: Independent repetitions.
    """

    error: float
    burn_in: int
    rounds: int
    chains: int


def sample_haplotypes(
    panel: Panel, likelihoods: Floats, random: Sequence[np.random.Generator], sampling: Sampling
) -> NDArray[np.bool_]:
    """Return haplotypes that samples may have, by rounds in which each is found given its partner's sampled alleles.

    Args:
        panel: The panel over M sites.
        likelihoods: Of 0, 1 and 2 copies of the minor allele, not all 0; shape (M, S, 3).
        random: A generator for each sample, so that the other samples do not matter.
        sampling: The settings.

    Returns:
        True for the minor allele; shape (S, M, haplotypes of all rounds that count and all chains).
    """
    sites, samples, _ = likelihoods.shape
    each = np.repeat(likelihoods, sampling.chains, axis=1)
    columns = samples * sampling.chains
    # The first of all is of a haplotype whose partner is unknown: the panel's frequencies.
    haplotypes = [np.zeros((sites, columns)), np.tile(panel.minor_frequency[:, None], columns)]
    kept = []
    for number in range(sampling.burn_in + sampling.rounds):
        for one, other in ((0, 1), (1, 0)):
            partner = haplotypes[other]
            major = (1 - partner) * each[..., 0] + partner * each[..., 1]
            minor = (1 - partner) * each[..., 1] + partner * each[..., 2]
            found = minor_probabilities(panel, major, minor, sampling.error)
            haplotypes[one] = (_uniform(random, sites, sampling.chains) < found).astype(float)
            if number >= sampling.burn_in:
                kept.append((found > 0.5).reshape(sites, samples, sampling.chains))
    return np.concatenate(kept, axis=2).transpose(1, 0, 2)


def _uniform(random: Sequence[np.random.Generator], sites: int, chains: int) -> Floats:
    """Return uniform numbers in [0, 1), those of each sample's chains side by side; shape (sites, samples * chains)."""
    return np.concatenate([one.random((chains, sites)).T for one in random], axis=1)


def minor_probabilities(panel: Panel, major: Floats, minor: Floats, error: float) -> Floats:
    """Return the probability of the minor allele at each site of haplotypes, by the forward-backward algorithm.

    Args:
        panel: The panel over M sites.
        major: The likelihood of the major allele; shape (M, columns).
        minor: The likelihood of the minor allele, likewise.
        error: The probability that a haplotype's allele differs from its state's.
    """
    if major.shape[1] == ONE_COLUMN:
        return minor_probabilities(panel, np.repeat(major, 2, 1), np.repeat(minor, 2, 1), error)[:, :1]
    of_carriers = (1 - error) * minor + error * major
    of_others = (1 - error) * major + error * minor
    ratios = of_carriers / of_others
    carried = _backward(panel, ratios, *_forward(panel, ratios))
    return carried * ((1 - error) * minor / of_carriers) + (1 - carried) * (error * minor / of_others)


class _States:
    """Values of all states of columns: ``factor * values + summand``.

    Args:
        haplotypes: The number of states.
        columns: The number of columns.
        value: The first value.
    """

    def __init__(self, haplotypes: int, columns: int, value: float) -> None:
        self._values = np.full((haplotypes, columns), value)
        self._factor, self._summand = np.ones(columns), np.zeros(columns)

    def take(self, rows: Rows) -> Floats:
        """Return the values of some states."""
        values: Floats = self._values[rows]
        values *= self._factor
        values += self._summand
        return np.maximum(values, 0, out=values)

    def put(self, rows: Rows, values: Floats) -> None:
        """Replace the values of some states; the array is used up."""
        values -= self._summand
        values /= self._factor
        self._values[rows] = values

    def scale(self, factor: Floats, summand: Floats | float = 0.0) -> None:
        """Multiply all values, and add to them."""
        self._factor *= factor
        self._summand *= factor
        self._summand += summand

    def settle(self, mean: Floats | float) -> None:
        """Multiply the factor into the values where it is far from what it was, measured by the mean of the values."""
        size = self._factor / mean
        if size.min() < 1 / RANGE or size.max() > RANGE:
            self._values *= self._factor
            self._values += self._summand
            self._factor[:], self._summand[:] = 1, 0


def _forward(panel: Panel, ratios: Floats) -> tuple[list[NDArray[np.float32]], Floats]:
    """Return the probabilities of carriers before each site's emission, and each site's norm; columns add up to 1.

    Args:
        panel: The panel.
        ratios: The likelihood of a carrier, over that of another haplotype; shape (M, columns).
    """
    sites, columns = ratios.shape
    states = _States(panel.haplotypes, columns, 1 / panel.haplotypes)
    before, norms = [], np.empty((sites, columns))
    for site, rows in enumerate(panel.carriers):
        switch = panel.switch[site]
        states.scale(1 - switch, switch / panel.haplotypes)
        values = states.take(rows)
        before.append(values.astype(np.float32))
        norms[site] = 1 + (ratios[site] - 1) * values.sum(0)
        values *= ratios[site]
        states.put(rows, values)
        states.scale(1 / norms[site])
        states.settle(1.0)
    return before, norms


def _backward(panel: Panel, ratios: Floats, before: Sequence[NDArray[np.float32]], norms: Floats) -> Floats:
    """Return the posterior probability of a carrier at each site; shape (M, columns).

    Args:
        panel: The panel.
        ratios: The likelihood of a carrier, over that of another haplotype; shape (M, columns).
        before: The forward probabilities of carriers before each site's emission.
        norms: The norm of each site.
    """
    sites, columns = ratios.shape
    states = _States(panel.haplotypes, columns, 1.0)
    total = np.full(columns, float(panel.haplotypes))
    carried = np.empty((sites, columns))
    for site in range(sites - 1, -1, -1):
        rows, switch = panel.carriers[site], panel.switch[site]
        values = states.take(rows)
        carried[site] = ratios[site] * (before[site] * values).sum(0) / norms[site]
        total += (ratios[site] - 1) * values.sum(0)
        total /= norms[site]
        values *= ratios[site]
        states.put(rows, values)
        states.scale((1 - switch) / norms[site], switch * total / panel.haplotypes)
        states.settle(total / panel.haplotypes)
    return np.clip(carried, 0, 1)
