"""Deletions that span later records, of which a sample's genotypes there have the allele `*`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from cells import Cells, beside_star, with_star
from packed_samples import Array, different

COPY = 1 << 16  # more than any quality of a genotype
DELETED = "*"  # the allele of a copy of which an earlier record says that it lacks the site


@dataclass(slots=True)
class Deletion:
    """A deletion that a record calls.

    Attributes:
        end: The last base that it deletes.
        samples: The samples that carry it, by number.
        carried: The copies of each times `COPY`, and how certain its genotype is, Phred-scaled.
    """

    end: int
    samples: Array
    carried: Array


@dataclass(slots=True)
class Deletions:
    """The deletions that may span the next records of a contig."""

    contig: str = ""
    spanning: list[Deletion] = field(default_factory=list)

    def at(self, contig: str, pos: int) -> list[Deletion]:
        """Return the deletions that span a position."""
        kept = self.spanning if contig == self.contig else []
        self.contig, self.spanning = contig, [one for one in kept if one.end >= pos]
        return self.spanning

    def add(self, pos: int, alleles: Sequence[str], cells: Cells) -> None:
        """Add the deletions of a record.

        Args:
            pos: Its position.
            alleles: Its alleles, the reference first.
            cells: The cells of its samples.
        """
        for number, allele in enumerate(alleles):
            shorter = len(alleles[0]) - len(allele)
            if shorter > 0:
                genotypes = [one.genotype for one in cells.different]
                deleted = [one.alleles.count(number) for one in genotypes]
                carried = [
                    copies * COPY + (one.quality or 0) if copies else 0
                    for copies, one in zip(deleted, genotypes, strict=True)
                ]
                of_samples = np.array(carried).take(cells.numbers)
                samples = np.flatnonzero(of_samples)
                self.spanning.append(Deletion(pos + shorter, samples, of_samples[samples]))


def over_deletions(cells: Cells, deletions: Sequence[Deletion]) -> Cells | None:
    """Return the cells with `*`, the last allele, where deletions span the record; None if no sample has any.

    A sample with a deletion on one copy has x/* in place of x/x, and one with deletions on all copies, and no variant,
    has `*` only. Any other genotype contradicts the deletion, and is left as it is.
    """
    carried = np.zeros(len(cells.numbers), dtype=np.int64)
    for one in deletions:
        carried[one.samples] = np.maximum(carried[one.samples], one.carried)
    samples = np.flatnonzero(carried)
    spanned = carried[samples]
    firsts, kind_of = different(spanned * len(cells.different) + cells.numbers[samples])
    kinds = zip(cells.numbers[samples[firsts]].tolist(), spanned[firsts].tolist(), strict=True)
    over = [with_star(cells.different[number], *divmod(one, COPY)) for number, one in kinds]
    star = len(cells.different[0].genotype.depths)
    if not any(star in one.genotype.alleles for one in over):
        return None
    numbers = cells.numbers.copy()
    numbers[samples] = len(cells.different) + kind_of
    return Cells([*map(beside_star, cells.different), *over], numbers)
