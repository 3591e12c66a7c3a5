"""Columns of samples, computed together, beside those of one sample after the other."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from column_table import NONE, ColumnTable
from gvcf_records import Body
from likelihoods import HALF, from_zero, index_of, pairs
from packing import bodies_of

MOST = 4  # alleles of a site


def of_reference(phred: Sequence[int], alleles: int) -> list[int]:
    """Return the likelihoods of a reference site over alleles that were not observed there.

    A genotype with one reference allele is as likely as the reference with any unobserved allele, and one without it as
    two unobserved alleles.

    Args:
        phred: The likelihoods of 0/0, 0/<*> and <*>/<*>.
        alleles: The number of alleles with the reference.

    >>> of_reference([0, 3, 37], 2), of_reference([0, 3, 37], 3)
    ([0, 3, 37], [0, 3, 37, 3, 37, 37])
    """
    return [phred[(first > 0) + (second > 0)] for first, second in pairs(alleles)]


def over_alleles(
    phred: Sequence[int], places: Sequence[int | None], unseen: int | None, depths: Sequence[int]
) -> list[int]:
    """Return a record's likelihoods over other alleles, the least of them 0.

    An allele that the record lacks has the likelihood of its unseen allele. Where it has none, reads of another allele
    are as if they came from one of two copies.

    Args:
        phred: The record's likelihoods.
        places: The place of each allele in the record; None for one that it lacks.
        unseen: The place of the record's unseen allele.
        depths: The number of reads of each of the record's alleles.

    >>> over_alleles([60, 0, 50, 70, 55, 90], [0, 1], 2, [4, 4, 0])
    [60, 0, 50]
    >>> over_alleles([60, 0, 50, 70, 55, 90], [0, None, 1], 2, [4, 4, 0])
    [60, 70, 90, 0, 55, 50]
    >>> over_alleles([0, 12, 90], [0, None], None, [4, 0])
    [0, 12, 90]
    """
    worst = max(phred)

    def one(first: int | None, second: int | None) -> int:
        if first is not None and second is not None:
            return phred[index_of(first, second)]
        known = first if first is not None else second
        if unseen is not None:
            return phred[index_of(unseen if known is None else known, unseen)]
        if known is None:
            return worst
        return min(phred[index_of(known, known)] + round(HALF * depths[known]), worst)

    return from_zero([one(places[first], places[second]) for first, second in pairs(len(places))])


def random_body(rng: random.Random) -> Body:
    alleles = rng.randrange(2, 5)
    phred = from_zero([rng.randrange(256) for _ in pairs(alleles)])
    depths = tuple(rng.randrange(30) for _ in range(alleles))
    return Body(tuple(phred), sum(depths), rng.choice([None, 7]), depths, rng.choice([0, alleles - 1]))


def test_columns_of_records() -> None:
    rng = random.Random(6)
    made = [random_body(rng) for _ in range(60)]
    tables = {many: ColumnTable(many) for many in range(2, MOST + 1)}
    wanted: list[tuple[int, int, list[int | None], int]] = []
    for many, table in tables.items():
        which = np.array([rng.randrange(len(made)) for _ in range(150)])
        places = np.zeros((len(which), many), dtype=np.int64)
        for row, body in enumerate(which):
            last = len(made[body].depths) - (made[body].unseen > 0)
            places[row, 1:] = rng.sample([*range(1, last), *[NONE] * MOST], many - 1)
        numbers = table.of_records(bodies_of(made), which, places)
        given = [[None if place == NONE else place for place in row] for row in places.tolist()]
        wanted += zip([many] * len(which), which.tolist(), given, numbers.tolist(), strict=True)
    for many, row, alleles, number in wanted:
        fields, body = tables[many].fields(), made[row]
        assert fields["PL"][number].tolist() == over_alleles(body.phred, alleles, body.unseen or None, body.depths)
        assert fields["AD"][number].tolist() == [0 if place is None else body.depths[place] for place in alleles]
        assert fields["DP"][number].tolist() == [body.depth]
        assert (fields["SP"][number, 0] == 7) == (body.bias is not None)


def test_columns_of_the_reference() -> None:
    rng = random.Random(5)
    states = np.array([[rng.randrange(99), 0, rng.randrange(60), rng.randrange(60, 300)] for _ in range(90)])
    for many in range(2, MOST + 1):
        table = ColumnTable(many)
        for number, state in zip(table.of_reference(states), states.tolist(), strict=True):
            depth, phred = state[0], state[1:]
            fields = table.fields()
            assert fields["PL"][number].tolist() == of_reference(phred, many)
            assert (fields["DP"][number].tolist(), fields["AD"][number].tolist()) == (
                [depth],
                [depth] + [0] * (many - 1),
            )
