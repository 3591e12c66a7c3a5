"""Pairs of samples with the genotypes of one person, compared with the patients of the sample sheet.

The measure is that of ``bcftools gtcheck -u GT,GT -e 0``: of the sites at which both samples have a genotype, the share
where these differ. Two samples of one person differ at few sites; two people differ at half of the common variants or
more, parent and child or siblings at a fifth or more. Identical twins look like one person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pysam
from numpy.typing import NDArray
from sample_lines import sample_lines

SAME, DIFFERENT = 0.10, 0.25  # shares of sites that differ: at most, of one person; at least, of two
LEAST_SITES = 100  # that both samples have
SITE_DISTANCE_BP = 10_000  # nearer ones are inherited together, and say the same once more
MOST_SITES, MOST_SAMPLES = 5_000, 1_000  # beyond, sites are thinned out, and nothing is compared
LEAST_CARRIERS, MOST_CARRIERS = 0.1, 0.9  # shares of the genotypes: rarer variants tell few pairs apart
SHOWN = 3  # pairs in a message
CODES = {"0/0": 0, "0|0": 0, "0/1": 1, "0|1": 1, "1|0": 1, "1/0": 1, "1/1": 2, "1|1": 2}
MISSING = -1


class Pair(NamedTuple):
    """Two samples, the number of sites that both have, and the share of these where they differ."""

    first: str
    second: str
    sites: int
    discordance: float


class Sites:
    """Genotypes of the samples at some common SNPs, at least `SITE_DISTANCE_BP` apart."""

    def __init__(self, samples: Sequence[str]) -> None:
        self.samples = samples
        self._rows: list[NDArray[np.int8]] = []
        self._contig, self._position = "", 0
        self._step, self._seen = 1, 0
        self._least, self._most = LEAST_CARRIERS * len(samples), MOST_CARRIERS * len(samples)

    def add(self, contig: str, position: int, genotypes: Sequence[str]) -> None:
        """Add a SNP with one alternative allele, unless it is too near to the last one, rare, or one of too many."""
        if contig == self._contig and position < self._position + SITE_DISTANCE_BP:
            return
        row = np.array([CODES.get(genotype, MISSING) for genotype in genotypes], np.int8)
        if len(self.samples) > 2 and not self._least <= np.count_nonzero(row > 0) <= self._most:
            return
        self._contig, self._position = contig, position
        self._seen += 1
        if self._seen % self._step == 0:
            self._rows.append(row)
        if len(self._rows) == 2 * MOST_SITES:
            self._rows, self._step = self._rows[1::2], 2 * self._step

    def pairs(self) -> Iterator[Pair]:
        """Yield each pair of samples that has enough sites."""
        genotypes = np.array(self._rows).reshape(len(self._rows), len(self.samples))
        called = (genotypes != MISSING).astype(np.float32)
        same = sum(one.T @ one for one in ((genotypes == code).astype(np.float32) for code in (0, 1, 2)))
        compared = called.T @ called
        for first, second in np.argwhere(np.triu(compared >= LEAST_SITES, 1)).tolist():
            sites = int(compared[first, second])
            differing = sites - int(np.asarray(same)[first, second])
            yield Pair(self.samples[first], self.samples[second], sites, round(differing / sites, 4))


def read_patients(header: pysam.VariantHeader) -> dict[str, str]:
    """Return the patient of each sample for which the header has one (lines SAMPLE)."""
    return {line["ID"]: line["Patient"] for line in sample_lines(header) if "Patient" in line}


def contradiction(pair: Pair, patients: Mapping[str, str]) -> str | None:
    """Return what contradicts the sample sheet in a pair; None where nothing does.

    Args:
        pair: The pair.
        patients: The patient of each sample.
    """
    first, second = (patients.get(sample) for sample in pair[:2])
    if first is None or second is None:
        return None
    facts = f"{pair.first} and {pair.second} differ at {pair.discordance:.0%} of {pair.sites:,} sites"
    if first != second and pair.discordance <= SAME:
        return f"{facts}, as one person, but are of patients {first} and {second}"
    if first == second and pair.discordance >= DIFFERENT:
        return f"{facts}, as two people, but are of patient {first}"
    return None


def compare(sites: Sites, patients: Mapping[str, str]) -> dict[str, Any]:
    """Return the metrics of the cohort: the pairs that look like one person, and the conflicts with the sample sheet.

    Args:
        sites: The genotypes.
        patients: The patient of each sample.

    Returns:
        ``identity_conflicts``, the number of pairs that contradict the sample sheet, with a verdict, None where no pair
        is compared with it; and ``close_pairs``, those that differ at fewer sites than two people do.
    """
    close: list[Pair] = []
    conflicts: list[str] = []
    known = 0
    for pair in sites.pairs() if len(sites.samples) <= MOST_SAMPLES else ():
        known += pair.first in patients and pair.second in patients
        if pair.discordance < DIFFERENT:
            close.append(pair)
        if conflict := contradiction(pair, patients):
            conflicts.append(conflict)
    judged: Any = {"value": 0, "verdict": "good"} if known else None
    if conflicts:
        more = f"; and {len(conflicts) - SHOWN} more" if len(conflicts) > SHOWN else ""
        judged = {"value": len(conflicts), "verdict": "bad", "reason": "; ".join(conflicts[:SHOWN]) + more}
    closest = sorted(close, key=lambda pair: pair.discordance)
    return {"identity_conflicts": judged, "close_pairs": [pair._asdict() for pair in closest]}
