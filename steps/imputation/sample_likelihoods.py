"""The likelihoods of one sample's genotypes at sites of a panel, from its gVCF of bcftools mpileup.

A record with the allele has its likelihoods. Where a record or a block of the reference lacks it, those of the symbolic
allele ``<*>``, of all alleles that were not observed, hold. Where nothing is known, all genotypes are as likely.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from panel import HAPLOID, NotDiploid, Site

UNSEEN = ("<*>", "<NON_REF>")
HETEROZYGOUS_READ = 3  # of a read of one allele, where both copies have different ones: 10 log10(2)
REFERENCE_READ = 37  # of a read of the reference where no copy has it; what mpileup writes for one good read
LARGEST = 255
LOOK_BACK_BP = 1000  # an indel's record may lie right of its normal form
UNKNOWN, BLOCK, RECORD, EXACT = range(4)  # from where a site's likelihoods are, the best last
Base = Callable[[int], str]
Key = tuple[int, str, str]


def normal_form(pos: int, ref: str, alt: str, base: Base) -> Key:
    """Return an allele as far left as it goes, with as few bases as it can be written with.

    Args:
        pos: The position, from 1.
        ref: The reference allele.
        alt: The alternate allele.
        base: Returns the base of the reference at a position, from 1; an empty string before its begin.

    >>> normal_form(4, "CAA", "CA", " GCCAAT".__getitem__), normal_form(2, "CT", "CG", " ACT".__getitem__)
    ((4, 'CA', 'C'), (3, 'T', 'G'))
    """
    while ref[-1] == alt[-1]:
        if min(len(ref), len(alt)) > 1:
            ref, alt = ref[:-1], alt[:-1]
        elif ref != alt and (before := base(pos - 1)):
            pos, ref, alt = pos - 1, before + ref[:-1], before + alt[:-1]
        else:
            break
    while min(len(ref), len(alt)) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return pos, ref, alt


def is_snp(key: Key) -> bool:
    """Return whether an allele in normal form is one base in place of another."""
    return len(key[1]) == len(key[2]) == 1


class SiteIndex:
    """The sites of a window, by their alleles in normal form.

    Args:
        sites: The sites.
        base: Returns the base of the reference at a position.
    """

    def __init__(self, sites: Sequence[Site], base: Base) -> None:
        keys = [normal_form(site.pos, site.ref, site.alt, base) for site in sites]
        self.base = base
        self.rows: Mapping[Key, int] = {key: row for row, key in enumerate(keys)}
        self.is_snp = np.array([is_snp(key) for key in keys], dtype=bool)
        order = sorted(range(len(keys)), key=lambda row: keys[row][0])
        self._positions, self._order = [keys[row][0] for row in order], order

    def __len__(self) -> int:
        return len(self._order)

    def within(self, start: int, end: int) -> Sequence[int]:
        """Return the rows of the sites from a position to another."""
        return self._order[bisect_left(self._positions, start) : bisect_right(self._positions, end)]


def phred_likelihoods(lines: Iterable[str], index: SiteIndex) -> NDArray[np.int16]:
    """Return the Phred-scaled likelihoods of 0, 1 and 2 copies of each site's allele, the least 0; shape (M, 3).

    Args:
        lines: The lines of the gVCF that overlap the sites.
        index: The sites.

    Raises:
        NotDiploid: for haploid genotypes.
    """
    phred = np.zeros((len(index), 3), dtype=np.int16)
    known = np.full(len(index), UNKNOWN)

    def put(row: int, values: Sequence[int], source: int) -> None:
        better = source > known[row] or (source == known[row] == EXACT and values[0] - min(values) > phred[row, 0])
        if better:
            phred[row], known[row] = [value - min(values) for value in values], source

    for line in lines:
        contig, pos, _, ref, alt, _, _, info, keys, values = line.rstrip("\n").split("\t")
        end = int(info[4:].partition(";")[0]) if info.startswith("END=") else int(pos)
        rows = index.within(int(pos), end)
        alts = alt.upper().split(",")
        if not rows and alts[0] in UNSEEN:
            continue
        sample = dict(zip(keys.split(":"), values.split(":"), strict=False))
        found = [int(value) for value in sample["PL"].split(",")]
        if len(found) != (len(alts) + 1) * (len(alts) + 2) // 2:
            raise NotDiploid(f"the cohort has {HAPLOID} at {contig}:{pos}")
        if "INDEL" not in info:
            unseen = next((number for number, one in enumerate(alts, 1) if one in UNSEEN), None)
            source = BLOCK if alts[0] in UNSEEN else RECORD
            of_depth = reference_reads(int(sample["DP"]))
            of_unseen = of_depth if unseen is None else of_allele(found, unseen, range(unseen))
            for row in rows:
                put(row, of_unseen if index.is_snp[row] else of_depth, source)
        else:
            for row in rows:
                if not index.is_snp[row]:
                    put(row, reference_reads(int(sample["DP"])), RECORD)
        real = [number for number, one in enumerate(["", *alts]) if one not in UNSEEN]
        for number in real[1:]:
            row_of = index.rows.get(normal_form(int(pos), ref.upper(), alts[number - 1], index.base))
            if row_of is not None:
                put(row_of, of_allele(found, number, [one for one in real if one != number]), EXACT)
    return phred


def reference_reads(depth: int) -> list[int]:
    """Return the likelihoods of 0, 1 and 2 copies of an allele where reads, as many as the depth, are without it.

    >>> reference_reads(0), reference_reads(2)
    ([0, 0, 0], [0, 6, 74])
    """
    return [0, min(HETEROZYGOUS_READ * depth, LARGEST), min(REFERENCE_READ * depth, LARGEST)]


def of_allele(phred: Sequence[int], allele: int, others: Iterable[int]) -> list[int]:
    """Return the likelihoods of 0, 1 and 2 copies of an allele, each that of its likeliest genotype.

    Args:
        phred: The likelihoods of all genotypes, in VCF's order.
        allele: The allele's number.
        others: The numbers of the other alleles.

    >>> of_allele([60, 0, 50, 70, 55, 90], 1, [0, 2])
    [60, 0, 50]
    """
    others = list(others)
    none = min(phred[_place(*pair)] for pair in product(others, others))
    return [none, min(phred[_place(one, allele)] for one in others), phred[_place(allele, allele)]]


def _place(first: int, second: int) -> int:
    """Return the place of a genotype in VCF's order (VCF specification, 1.6.2)."""
    low, high = min(first, second), max(first, second)
    return high * (high + 1) // 2 + low
