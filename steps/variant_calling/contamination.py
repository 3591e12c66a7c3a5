"""The share of a sample's reads that come from another person, from reads at SNPs where the sample is homozygous.

Of a contaminated sample, some reads at such sites have the other allele. The estimate is the share that makes the
counts of both alleles likeliest, where the genotypes of both people are unknown: the model of VerifyBamID (Jun et al.
2012, https://doi.org/10.1016/j.ajhg.2012.09.004) for counts instead of single bases. With a panel, genotypes follow the
frequencies of its alleles. Without one, sites are the sample's own variants, as in CHARR (Lu et al. 2023,
https://doi.org/10.1038/s41588-023-01587-7), and genotypes follow the frequencies that variants have in a population of
constant size: of the alternative allele 1/p, on the condition that the reference genome lacks it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import exp, lgamma, log
from operator import mul
from typing import Any, NamedTuple

BINS = 50  # of the allele frequency
LEAST_FREQUENCY = 0.01  # of both alleles of a site of the panel
HOMOZYGOUS = 0.75  # least share of the reads with one allele
LEAST_DEPTH = 3
LEAST_SITES = 30
MOST_READS = 200  # of a site: counts of deeper ones are scaled down
LEAST_ERROR = 1e-4
ARTIFACTS = 0.005  # of the sites, as of sequences that the reference lacks: any counts are equally likely there
CONFIDENCE = 1.92  # half of the 95 % point of chi square with one degree of freedom
SHARES = (0.0, *(0.0005 * 1.12**step for step in range(61)))  # to 0.5
OWN, OTHER = range(3), range(3)  # alternative alleles of the sample and of the other person at a site
Pairs = tuple[tuple[float, ...], ...]  # probabilities of genotypes, of the sample and of the other person
# The integrals over p, from 0 to 1, of 1/p times the frequencies of both genotypes.
UNKNOWN_FREQUENCY: Pairs = ((0.0, 0.0, 0.0), (1 / 2, 1 / 3, 1 / 6), (1 / 12, 1 / 6, 1 / 4))


class Cell(NamedTuple):
    """Sites with the same counts: the bin of their frequency, 0 without a panel, and the reads of two alleles."""

    bin: int
    depth: int
    alternative: int


class SiteCounts:
    """The counts of reads at the sites of a sample.

    Attributes:
        cells: The number of sites with each count.
        reads: Reads at all sites.
        errors: Those that have neither allele.
    """

    def __init__(self) -> None:
        self.cells: Counter[Cell] = Counter()
        self.reads = self.errors = 0

    def add(self, frequency_bin: int, reference: int, alternative: int, others: int) -> None:
        """Add a site.

        Args:
            frequency_bin: The bin of the frequency of its alternative allele.
            reference: Its reads with the reference allele.
            alternative: Those with the alternative allele.
            others: Those with any other.
        """
        self.cells[Cell(frequency_bin, reference + alternative, alternative)] += 1
        self.reads += reference + alternative + others
        self.errors += others

    def update(self, raw: Mapping[str, Any]) -> None:
        """Add the counts of a part of the genome, as `to_json` returns them."""
        self.cells.update({Cell(*cell): sites for *cell, sites in raw["cells"]})
        self.reads += raw["reads"]
        self.errors += raw["errors"]

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON."""
        return {"cells": [[*cell, n] for cell, n in self.cells.items()], "reads": self.reads, "errors": self.errors}

    def error_rate(self) -> float:
        """Return the probability that a base is read as one certain other."""
        return max(LEAST_ERROR, (self.errors + 0.5) / (2 * self.reads + 1))

    def homozygous(self, panel: bool) -> SiteCounts:
        """Return the sites of usual depth where the sample seems homozygous; without a panel, for the alternative."""
        kept = SiteCounts()
        kept.reads, kept.errors = self.reads, self.errors
        usual = _median({cell: sites for cell, sites in self.cells.items() if cell.depth})
        for cell, sites in self.cells.items():
            if cell.depth >= max(LEAST_DEPTH, usual / 2) and cell.depth <= 2 * usual:
                scaled = _scaled(cell)
                if scaled.alternative in _counts(scaled.depth, panel):
                    kept.cells[scaled] += sites
        return kept


class Estimate(NamedTuple):
    """An estimate: the likeliest share of reads from another person, its 95 % interval, and the sites it is from."""

    share: float
    low: float
    high: float
    sites: int

    @property
    def is_precise(self) -> bool:
        """Tell whether there are enough sites, and the interval is 5 points wide at most, or twice the share."""
        return self.sites >= LEAST_SITES and self.high - self.low <= max(0.05, 2 * self.share)


def contamination_metrics(counts: SiteCounts | None, panel: bool) -> dict[str, Any]:
    """Return the metrics of a sample's contamination; None each for what the reads do not tell.

    Args:
        counts: The counts at all sites; None for haploid calls.
        panel: Whether the sites are those of a panel.
    """
    found = estimate(counts, panel) if counts else None
    return {
        "contamination": round(found.share, 4) if found and found.is_precise else None,
        "contamination_low": round(found.low, 4) if found else None,
        "contamination_high": round(found.high, 4) if found else None,
        "contamination_sites": found.sites if found else None,
        "contamination_from": ("panel" if panel else "own variants") if found else None,
    }


def estimate(counts: SiteCounts, panel: bool) -> Estimate | None:
    """Return the estimate; None if there are no sites.

    Args:
        counts: The counts at all sites.
        panel: Whether the sites are those of a panel.
    """
    kept = counts.homozygous(panel)
    if not kept.cells:
        return None
    model = Model(kept, panel)
    likelihoods = {share: model.log_likelihood(share) for share in SHARES}
    best = max(SHARES, key=lambda share: likelihoods[share])
    within = [share for share in SHARES if likelihoods[share] >= likelihoods[best] - CONFIDENCE]
    place = SHARES.index(best)
    begin, end = SHARES[max(0, place - 1)], SHARES[min(len(SHARES) - 1, place + 1)]
    finer = [begin + (end - begin) * step / 12 for step in range(13)]
    share = max((best, *finer), key=model.log_likelihood)
    return Estimate(share, within[0], within[-1], sum(kept.cells.values()))


class Model:
    """The likelihood of the counts at homozygous sites, as a function of the share of reads from another person.

    Args:
        counts: The counts.
        panel: Whether the sites are those of a panel.
    """

    def __init__(self, counts: SiteCounts, panel: bool) -> None:
        self._error = counts.error_rate()
        # Pairs of genotypes of weight 0 are left out: without a panel, those of a sample without the alternative.
        self._pairs = [(own, other) for own in OWN for other in OTHER if panel or UNKNOWN_FREQUENCY[own][other]]
        self._depths: list[_Depth] = []
        by_depth: dict[int, list[tuple[Cell, int]]] = {}
        for cell, sites in counts.cells.items():
            by_depth.setdefault(cell.depth, []).append((cell, sites))
        for depth, cells in by_depth.items():
            ways = {k: _log_ways(depth, k) for k in _counts(depth, panel)}
            weighted = [
                (cell.alternative, _WEIGHTS[cell.bin] if panel else _UNKNOWN_WEIGHTS, sites) for cell, sites in cells
            ]
            self._depths.append(_Depth(depth, ways, weighted))

    def log_likelihood(self, share: float) -> float:
        """Return the logarithm of the likelihood.

        Args:
            share: The share of reads from another person.
        """
        logs = [self._log_reads(own, other, share) for own, other in self._pairs]
        total = 0.0
        for depth, ways, cells in self._depths:
            artifact = ARTIFACTS / (depth + 1)
            chances = {
                k: [
                    (1 - ARTIFACTS) * exp(way + k * alternative + (depth - k) * reference) + artifact
                    for alternative, reference in logs
                ]
                for k, way in ways.items()
            }
            sums = [sum(column) for column in zip(*chances.values(), strict=True)]
            for k, weights, sites in cells:
                total += sites * log(sum(map(mul, weights, chances[k])) / sum(map(mul, weights, sums)))
        return total

    def _log_reads(self, own: int, other: int, share: float) -> tuple[float, float]:
        """Return the logarithms of the probabilities that a read has the alternative allele, and that it has not."""
        allele = (1 - share) * own / 2 + share * other / 2
        read = allele * (1 - self._error) + (1 - allele) * self._error
        return log(read), log(1 - read)


class _Depth(NamedTuple):
    """Sites of one depth: ways to draw each count, and each cell's alternative reads, weights of pairs, and sites."""

    depth: int
    log_ways: dict[int, float]
    cells: list[tuple[int, list[float], int]]


def frequency_bin(frequency: float) -> int | None:
    """Return the bin of an allele's frequency; None where the allele or the other one is rare."""
    if not LEAST_FREQUENCY <= frequency <= 1 - LEAST_FREQUENCY:
        return None
    return min(BINS - 1, int(frequency * BINS))


def _counts(depth: int, panel: bool) -> range | list[int]:
    """Return the counts of the alternative allele at homozygous sites."""
    high = range(-int(-HOMOZYGOUS * depth // 1), depth + 1)
    return [*range(depth - high.start + 1), *high] if panel else high


def _log_ways(depth: int, alternative: int) -> float:
    """Return the logarithm of the number of ways to draw a count."""
    return lgamma(depth + 1) - lgamma(alternative + 1) - lgamma(depth - alternative + 1)


def _genotypes(frequency: float) -> tuple[float, float, float]:
    """Return the frequencies of genotypes by Hardy and Weinberg."""
    return (1 - frequency) ** 2, 2 * frequency * (1 - frequency), frequency**2


def _weights(frequency: float) -> list[float]:
    genotypes = _genotypes(frequency)
    return [own * other for own in genotypes for other in genotypes]


def _median(cells: Mapping[Cell, int]) -> int:
    rest = sum(cells.values()) / 2
    for cell in sorted(cells, key=lambda cell: cell.depth):
        rest -= cells[cell]
        if rest <= 0:
            return cell.depth
    return 0


def _scaled(cell: Cell) -> Cell:
    if cell.depth <= MOST_READS:
        return cell
    return cell._replace(depth=MOST_READS, alternative=round(cell.alternative * MOST_READS / cell.depth))


_WEIGHTS = [_weights((number + 0.5) / BINS) for number in range(BINS)]
_UNKNOWN_WEIGHTS = [weight for row in UNKNOWN_FREQUENCY for weight in row if weight]
