"""Deletions that span later records, of which a sample's genotypes there have the allele `*`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from cells import Cells, beside_star, with_star

DELETED = "*"  # the allele of a copy of which an earlier record says that it lacks the site


@dataclass(slots=True)
class Deletion:
    """A deletion that a record calls: the last base that it deletes, and its carriers' copies and certainty."""

    end: int
    carriers: dict[int, tuple[int, int]]


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
                deleted = [one.genotype.alleles.count(number) for one in cells.different]
                samples = np.flatnonzero(np.array(deleted)[cells.numbers] > 0)
                carriers = {
                    sample: (deleted[cell], cells.different[cell].genotype.quality or 0)
                    for sample, cell in zip(samples.tolist(), cells.numbers[samples].tolist(), strict=True)
                }
                self.spanning.append(Deletion(pos + shorter, carriers))


def over_deletions(cells: Cells, deletions: Sequence[Deletion]) -> Cells | None:
    """Return the cells with `*`, the last allele, where deletions span the record; None if no sample has any.

    A sample with a deletion on one copy has x/* in place of x/x, and one with deletions on all copies, and no variant,
    has `*` only. Any other genotype contradicts the deletion, and is left as it is.
    """
    spanned: dict[int, tuple[int, int]] = {}
    for one in deletions:
        for sample, carried in one.carriers.items():
            spanned[sample] = max(carried, spanned.get(sample, (0, 0)))
    star = len(cells.different[0].genotype.depths)
    numbers = cells.numbers[list(spanned)].tolist()
    over = {
        sample: with_star(cells.different[number], *carried)
        for (sample, carried), number in zip(spanned.items(), numbers, strict=True)
    }
    if not any(star in one.genotype.alleles for one in over.values()):
        return None
    others = [beside_star(one) for one in cells.different]
    different = {one: number for number, one in enumerate(dict.fromkeys([*others, *over.values()]))}
    numbers = np.array([different[one] for one in others])[cells.numbers]
    numbers[list(over)] = [different[one] for one in over.values()]
    return Cells(list(different), numbers)
