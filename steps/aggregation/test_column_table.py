"""Columns of samples, computed together, beside those of one sample after the other."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from column_table import NONE, ColumnTable, bodies_of
from likelihoods import HALF, from_zero, index_of, pairs

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


def random_body(rng: random.Random) -> tuple[str, list[int], list[int], int]:
    """Return the text of a record, its likelihoods, its depths, and the number of its unseen allele."""
    alleles = rng.randrange(2, 5)
    phred = from_zero([rng.randrange(256) for _ in pairs(alleles)])
    depths = [rng.randrange(30) for _ in range(alleles)]
    unseen = rng.choice([0, alleles - 1])
    joined = [",".join(map(str, values)) for values in (phred, depths)]
    return f"{joined[0]}\t{sum(depths)}\t{rng.choice(['.', '7'])}\t{joined[1]}\t{unseen}", phred, depths, unseen


def test_columns_of_records() -> None:
    rng = random.Random(6)
    made = [random_body(rng) for _ in range(60)]
    table = ColumnTable(MOST)
    which = np.array([rng.randrange(len(made)) for _ in range(500)])
    alleles = np.array([rng.randrange(2, MOST + 1) for _ in which])
    places = np.full((len(which), MOST), NONE)
    places[:, 0] = 0
    for row, body in enumerate(which):
        known = [*range(1, len(made[body][2]) - (made[body][3] > 0)), *[NONE] * MOST]
        places[row, 1 : alleles[row]] = rng.sample(known, int(alleles[row]) - 1)
    numbers = table.of_records(bodies_of([text for text, *_ in made]), which, places, alleles)
    for number, body, many, given in zip(numbers, which, alleles.tolist(), places.tolist(), strict=True):
        _, phred, depths, unseen = made[body]
        wanted = [None if place == NONE else place for place in given[:many]]
        fields = table.fields(many)
        assert fields["PL"][number].tolist() == over_alleles(phred, wanted, unseen or None, depths)
        assert fields["AD"][number].tolist() == [0 if place is None else depths[place] for place in wanted]


def test_columns_of_the_reference() -> None:
    rng = random.Random(5)
    states = np.array([[rng.randrange(99), 0, rng.randrange(60), rng.randrange(60, 300)] for _ in range(90)])
    alleles = np.array([rng.randrange(2, MOST + 1) for _ in states])
    table = ColumnTable(MOST)
    numbers = table.of_reference(states, alleles)
    for number, state, many in zip(numbers, states.tolist(), alleles.tolist(), strict=True):
        depth, phred = state[0], state[1:]
        fields = table.fields(many)
        assert fields["PL"][number].tolist() == of_reference(phred, many)
        assert (fields["DP"][number].tolist(), fields["AD"][number].tolist()) == ([depth], [depth] + [0] * (many - 1))
