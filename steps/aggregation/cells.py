"""The cells of a record's samples: genotypes, with their columns in the joint VCF."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, compress
from operator import attrgetter
from typing import NamedTuple, TypeVar

import numpy as np
from bcf import END
from gvcf_records import MISSING as NOT_KNOWN
from likelihoods import (
    called_alone,
    from_zero,
    homozygous,
    of_two_copies,
    pairs,
    quality_of,
    weights_of,
    with_deleted,
)
from packed_samples import Array

MANY_CELLS = 1 << 16  # different ones
KEYS = ("GT", "PL", "DP", "SP", "AD", "GQ")
FORMAT = ":".join(KEYS)
ENDS = frozenset(END.values())
IS_CARRIER, CALLED, TEXT = map(attrgetter, ("is_carrier", "called", "text"))  # of a `Cell`: faster for many at once

OfCell = TypeVar("OfCell")


class Genotype(NamedTuple):
    """A sample's fields of a record.

    Attributes:
        alleles: Its alleles, by number; None where it is missing.
        phred: The likelihoods of genotypes; of haploid ones, one for each allele; none where there is no copy.
        depth: High-quality bases.
        strand_bias: Phred-scaled; None if not known.
        depths: High-quality bases of each allele.
        quality: The genotype's quality; None if missing.
    """

    alleles: tuple[int | None, ...]
    phred: tuple[int, ...]
    depth: int
    strand_bias: int | None
    depths: tuple[int, ...]
    quality: int | None

    def quality_alone(self, prior: float) -> float:
        """Return the QUAL that the sample has alone."""
        phred = tuple(of_two_copies(self.phred, len(self.depths)))
        return called_alone(phred, self.depths, prior)[1]

    def text(self) -> str:
        """Return the sample's column: see `KEYS`."""
        values: tuple[int | str | None, ...] = (
            *self.alleles,
            *self.phred,
            self.depth,
            self.strand_bias,
            *self.depths,
            self.quality,
        )
        if None in values:
            values = tuple([NOT_KNOWN if one is None else one for one in values])
        return _template(len(self.alleles), len(self.phred), len(self.depths)) % values


@lru_cache
def _template(alleles: int, phred: int, depths: int) -> str:
    return ":".join(
        ["/".join(["%s"] * alleles), ",".join(["%s"] * phred) or NOT_KNOWN, "%s", "%s", ",".join(["%s"] * depths), "%s"]
    )


def by_its_reads(genotype: Genotype, indel: bool) -> Genotype:
    """Return a sample's genotype as its own reads have it, where those of the cohort mislead `bcftools call`.

    That gives a sample of few reads, all of the reference, an allele that most others have. Of an indel, reads that do
    not span it are missing from its share in the cohort's reads, by which genotypes are judged.

    >>> by_its_reads(Genotype((0, 1), (0, 6, 38), 2, None, (2, 0), 3), False).text()
    '0/0:0,6,38:2:.:2,0:6'
    >>> by_its_reads(Genotype((0, 1), (117, 0, 1), 8, None, (1, 7), 20), True).text()
    '1/1:117,0,1:8:.:1,7:6'
    """
    alleles, depths = genotype.alleles, genotype.depths
    if alleles[0] == alleles[-1] and sum(depths) == depths[alleles[0] or 0] > 0:
        return genotype  # as of nearly all samples: no other allele has any share of the reads
    if None in alleles or not (indel or any(allele and not depths[allele] for allele in alleles)):
        return genotype
    weights = weights_of(genotype.phred, depths, len(alleles))
    place = weights.index(max(weights))
    probable = (place,) if len(alleles) == 1 else pairs(len(depths))[place]
    if probable == alleles:
        return genotype
    return genotype._replace(alleles=probable, quality=quality_of(place, weights, genotype.phred))


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A sample's genotype of a record and its column; most cells of a large cohort are the same object.

    Attributes:
        genotype: The genotype.
        text: The column.
        is_carrier: The genotype has an allele that is not the reference.
        called: The number of its alleles that are not missing.
    """

    genotype: Genotype
    text: str
    is_carrier: bool
    called: int


def cell_of(genotype: Genotype) -> Cell:
    """Return the cell of a genotype."""
    alleles = genotype.alleles
    return Cell(genotype, genotype.text(), any(alleles), len(alleles) - alleles.count(None))


class Cells(NamedTuple):
    """The cells of a record's samples.

    Attributes:
        different: The different cells.
        numbers: The number of each sample's cell among them.
    """

    different: Sequence[Cell]
    numbers: Array

    @property
    def counts(self) -> list[int]:
        """Return how many samples have each cell."""
        counts: list[int] = np.bincount(self.numbers, minlength=len(self.different)).tolist()
        return counts

    def carriers(self, values: Iterable[OfCell]) -> Iterator[OfCell]:
        """Yield those of one value for each different cell that are of carriers."""
        return compress(values, map(IS_CARRIER, self.different))

    def columns(self) -> str:
        """Return the columns of all samples, tab-separated."""
        texts = np.array([*map(TEXT, self.different)], dtype=object)
        return "\t".join(texts.take(self.numbers).tolist())


@lru_cache
def alleles_of(copies: tuple[int, ...]) -> tuple[int | None, ...]:
    """Return the alleles of a genotype of BCF, None for one that is missing (VCF specification 4.3, 6.3.3).

    >>> alleles_of((2, 4)), alleles_of((0, 0)), alleles_of((4, END[1]))
    ((0, 1), (None, None), (1,))
    """
    return tuple([(one >> 1) - 1 if one > 1 else None for one in copies if one not in ENDS])


class KnownCells(dict[bytes, Cell]):
    """The cells of samples' values, parsed when they are asked for: those of `KEYS`, as integers of 32 bits.

    Args:
        sizes: How many values each key has.
        indel: The records are indels.
    """

    def __init__(self, sizes: Sequence[int], indel: bool) -> None:
        self._ends, self._indel = [*accumulate(sizes)], indel

    def __missing__(self, values: bytes) -> Cell:
        if len(self) >= MANY_CELLS:
            self.clear()
        cell = self[values] = cell_of(by_its_reads(self._genotype(tuple(array("i", values))), self._indel))
        return cell

    def _genotype(self, values: tuple[int, ...]) -> Genotype:
        of_alleles, of_phred, depth, bias, of_depths, _ = self._ends
        copies, phred, depths = values[:of_alleles], values[of_alleles:of_phred], values[bias:of_depths]
        if copies[-1] in ENDS:
            phred = tuple([one for one in phred if one not in ENDS])
        bias, quality = values[depth], values[-1]
        return Genotype(
            alleles_of(copies),
            () if phred[0] < 0 else phred if 0 in phred else tuple(from_zero(phred)),
            max(values[of_phred], 0),
            bias if bias >= 0 else None,
            depths,
            quality if quality >= 0 else None,
        )


@lru_cache
def known_cells(sizes: tuple[int, ...], indel: bool) -> KnownCells:
    """Return the cells that were parsed of records of a kind."""
    return KnownCells(sizes, indel)


@lru_cache(MANY_CELLS)
def beside_star(cell: Cell) -> Cell:
    """Return the cell of a sample without a deletion, with `*` as the last allele in its text, not in its genotype."""
    genotype = cell.genotype
    called, phred, depth, bias, depths, quality = cell.text.split(":")
    if genotype.phred:
        worst = max(genotype.phred)
        more = [worst]
        if len(genotype.alleles) > 1:
            more = [genotype.phred[place] + worst for place in homozygous(len(genotype.depths))]
            more.append((worst if any(genotype.depths) else 0) + worst)
        phred = f"{phred},{','.join(map(str, more))}"
    return Cell(genotype, f"{called}:{phred}:{depth}:{bias}:{depths},0:{quality}", cell.is_carrier, cell.called)


@lru_cache(MANY_CELLS)
def with_star(cell: Cell, copies: int, certainty: int) -> Cell:
    """Return the cell of a sample with deletions, with `*` as the last allele.

    Args:
        cell: The cell.
        copies: Copies that deletions of earlier records delete.
        certainty: Phred-scaled certainty of that.
    """
    genotype = cell.genotype
    star = len(genotype.depths)
    called = _spanned(genotype.alleles, copies, star)
    if star not in called:
        return beside_star(cell)
    quality = certainty if genotype.quality is None else min(genotype.quality, certainty)
    phred = _extended(genotype, copies, certainty)
    return cell_of(Genotype(called, phred, genotype.depth, genotype.strand_bias, (*genotype.depths, 0), quality))


def _spanned(alleles: tuple[int | None, ...], copies: int, star: int) -> tuple[int | None, ...]:
    if copies >= len(alleles):
        return alleles if any(alleles) else (star,) * len(alleles)
    first, second = alleles
    return (first, star) if first == second and first is not None else alleles


def _extended(genotype: Genotype, copies: int, certainty: int) -> tuple[int, ...]:
    """Return the likelihoods with those of the genotypes with `*`, of which the sample has copies."""
    if not genotype.phred:
        return ()
    if len(genotype.alleles) == 1:
        return tuple(from_zero([*(value + certainty for value in genotype.phred), 0]))
    return tuple(with_deleted(genotype.phred, genotype.depths, copies, certainty))
