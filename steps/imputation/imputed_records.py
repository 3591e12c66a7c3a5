"""Records of imputed sites: phased genotypes, probabilities and dosages of every sample, and how certain a site is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from haplotype_model import Floats
from imputed import Imputed
from panel import Site

LARGEST_GQ = 99
AF_HEADER = (
    '##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency: among the called genotypes, or, of imputed '
    'records (IMP), the mean dosage of a copy">\n'
)
HEADER = """\
##INFO=<ID=AC,Number=A,Type=Integer,Description="Number of the ALT allele in genotypes">
##INFO=<ID=AN,Number=1,Type=Integer,Description="Total number of alleles in called genotypes">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Phred-scaled Genotype Quality">
##INFO=<ID=IMP,Number=0,Type=Flag,Description="Genotypes are imputed from the panel">
##INFO=<ID=DR2,Number=A,Type=Float,Description="Estimated squared correlation of dosages and true numbers of copies">
##INFO=<ID=RAF,Number=A,Type=Float,Description="Frequency of the ALT allele in the panel">
##FORMAT=<ID=GP,Number=G,Type=Float,Description="Probabilities of the genotypes">
##FORMAT=<ID=DS,Number=A,Type=Float,Description="Expected number of copies of the ALT allele">
"""


class Limits(NamedTuple):
    """The limits of the soft filter LowDR2."""

    min_dr2: float
    min_probability: float

    def header(self) -> str:
        """Return the header line of the filter."""
        certain = f"no carrier's genotype has a probability of {self.min_probability:g}"
        description = f"DR2 below {self.min_dr2:g}, and {certain}"
        return f'##FILTER=<ID=LowDR2,Description="{description}">\n'


def dosage_r2(probabilities: Floats) -> Floats:
    """Return the estimated squared correlation between dosages and true numbers of copies at each site.

    It is the variance of the dosages over that of the unknown numbers of copies, which is estimated from the same
    probabilities: the allelic R2 of Browning and Browning (2009, American Journal of Human Genetics 84:210, appendix
    1), which Beagle writes as DR2. It is 0 where the dosages do not vary, as in a cohort of one.

    Args:
        probabilities: Of 0, 1 and 2 copies; shape (M, S, 3).

    >>> dosage_r2(np.array([[[1, 0, 0], [0, 1, 0]], [[0.5, 0.5, 0], [0.5, 0.5, 0]]])).tolist()
    [1.0, 0.0]
    """
    dosages = probabilities[..., 1] + 2 * probabilities[..., 2]
    squares = probabilities[..., 1] + 4 * probabilities[..., 2]
    common = dosages.sum(1) ** 2 / dosages.shape[1]
    known, possible = (dosages**2).sum(1) - common, squares.sum(1) - common
    r2: Floats = np.divide(known, possible, out=np.zeros(len(known)), where=possible > 1e-9)
    return np.clip(r2, 0, 1)


class Records:
    """The records of imputed sites.

    Args:
        imputed: The genotypes of M sites.
        limits: The limits of the filter.
    """

    def __init__(self, imputed: Imputed, limits: Limits) -> None:
        probabilities = imputed.probabilities
        self.copies = probabilities.argmax(2)
        self.dosages = probabilities[..., 1] + 2 * probabilities[..., 2]
        self.r2 = dosage_r2(probabilities)
        self._probabilities, self._first_has_more = probabilities, imputed.first_has_more
        certain = ((self.copies > 0) & (probabilities.max(2) >= limits.min_probability)).any(1)
        self.passes = (self.r2 >= limits.min_dr2) | certain

    def line(self, number: int, contig: str, site: Site, frequency: float) -> str:
        """Return the line of a record.

        Args:
            number: The place of the site among those that were imputed.
            contig: Its contig.
            site: The site.
            frequency: The frequency of its allele in the panel.
        """
        copies = self.copies[number]
        frequency_here = self.dosages[number].mean() / 2
        info = (
            f"IMP;DR2={round(self.r2[number], 3):g};AF={round(frequency_here, 5):g};RAF={frequency:.4g};"
            f"AC={int(copies.sum())};AN={2 * len(copies)}"
        )
        filters = "PASS" if self.passes[number] else "LowDR2"
        columns = map(_column, copies, self._probabilities[number], self.dosages[number], self._first_has_more[number])
        fixed = [contig, str(site.pos), site.name or ".", site.ref, site.alt, ".", filters, info, "GT:GP:DS:GQ"]
        return "\t".join([*fixed, *columns]) + "\n"


def _column(copies: int, probabilities: Floats, dosage: float, first_has_more: bool) -> str:
    genotype = ("0|0", "1|0" if first_has_more else "0|1", "1|1")[copies]
    wrong = max(1 - probabilities[copies], 10 ** (-LARGEST_GQ / 10))
    shown = ",".join(f"{round(one, 3):g}" for one in probabilities)
    return f"{genotype}:{shown}:{round(dosage, 3):g}:{round(-10 * np.log10(wrong))}"
