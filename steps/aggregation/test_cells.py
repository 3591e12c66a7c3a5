"""Cells of samples, of which those with the same values are parsed once."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bcf import Array, CalledRecord
from cells import Cells, Genotype, beside_star, cell_of
from cells_of_sites import VALUES_AT_ONCE, batches, cells_of
from genotyping import CalledSite
from likelihoods import with_deleted
from tile_columns import NUMBER

SampleRow = tuple[int, Sequence[int | None], Sequence[int], int]
MISSING, END = -128, -127
ALLELES = {0: 2, 1: 4, None: 0}  # in BCF


VALUES = {  # of eight columns
    "DP": np.full((8, 1), 20, dtype="<i1"),
    "SP": np.full((8, 1), MISSING, dtype="<i1"),
    "AD": np.array([[20, 0]] * 8, dtype="<i1"),
}


def site(rows: Sequence[SampleRow], indel: bool = False, values: Mapping[str, Array] = VALUES) -> CalledSite:
    """Return a site of samples, each with the number of its column, genotype, likelihoods and quality."""

    def padded(values: Sequence[Sequence[int]], size: int) -> Array:
        return np.array([[*value, *[END] * (size - len(value))] for value in values], dtype="<i1")

    samples = {
        "GT": padded([[ALLELES[one] for one in genotype] for _, genotype, _, _ in rows], 2),
        "PL": padded([phred or [MISSING] for _, _, phred, _ in rows], 3),
        "GQ": padded([[quality] for *_, quality in rows], 1),
        NUMBER: np.array([[number] for number, *_ in rows], dtype="<i4"),
    }
    return CalledSite(CalledRecord("c", 1, "0", "9", ("A", "AT" if indel else "C"), {}, samples), values)


def texts(cells: Cells) -> list[str]:
    return cells.columns().split("\t")


def test_samples_of_one_column_and_different_ploidies_have_different_cells() -> None:
    rows: list[SampleRow] = [
        (7, [0, 0], [0, 60, 100], 60),
        (7, [0], [0, 100], 100),
        (7, [None], [], MISSING),
        (7, [0, 0], [0, 60, 100], 60),
    ]
    (cells,) = cells_of([site(rows)])
    two, one = "0/0:0,60,100:20:.:20,0:60", "0:0,100:20:.:20,0:100"
    assert texts(cells) == [two, one, ".:.:20:.:20,0:.", two]
    assert sorted(cells.counts) == [1, 1, 2]


def test_cells_do_not_depend_on_the_other_samples() -> None:
    rng = random.Random(4)
    kinds: list[tuple[list[int | None], list[int]]] = [
        ([0, 0], [0, 6, 90]),
        ([0, 1], [9, 0, 90]),
        ([1], [90, 0]),
        ([], []),
    ]
    rows: list[SampleRow] = []
    for _ in range(400):
        genotype, phred = rng.choice(kinds)
        rows.append((rng.randrange(5), genotype or [None], phred, rng.choice([3, 99])))
    (cells,) = cells_of([site(rows, indel=True)])
    whole = texts(cells)
    assert whole == [
        texts(cells_of([site([row, kept], indel=True)])[0])[0]
        for row, kept in zip(rows, [*rows[1:], rows[0]], strict=True)
    ]
    assert len(set(whole)) > 5


@pytest.mark.parametrize(
    ("genotype", "phred"),
    [
        (Genotype((0, 1), (60, 0, 50), 8, 3, (4, 4), 60), "60,0,50,120,110,120"),
        (Genotype((None, None), (0, 0, 0), 0, None, (0, 0), None), "0,0,0,0,0,0"),
        (Genotype((0, 0), (0, 3, 37), 1, None, (1, 0), 3), "0,3,37,37,74,74"),
        (Genotype((1,), (40, 0), 5, 0, (0, 5), 40), "40,0,40"),
        (Genotype((None,), (), 0, None, (0, 0), None), "."),
    ],
)
def test_a_sample_beside_a_deletion_has_likelihoods_of_all_genotypes(genotype: Genotype, phred: str) -> None:
    """Check that those with `*` are as unlikely as the worst without it, on top of that of the copies that are left."""
    cell, values = beside_star(cell_of(genotype)), tuple(map(int, phred.split(","))) if genotype.phred else ()
    assert cell.text == genotype._replace(phred=values, depths=(*genotype.depths, 0)).text()
    if len(values) > 3:
        assert [*values] == with_deleted(genotype.phred, genotype.depths, 0, max(genotype.phred))


def test_cells_of_a_site_do_not_depend_on_the_others_beside_it() -> None:
    rng = random.Random(5)
    other_values = {**VALUES, "DP": VALUES["DP"] + 1}
    kinds: list[tuple[Sequence[int | None], Sequence[int]]] = [
        ([0, 0], [0, 60, 100]),
        ([1, 1], [90, 9, 0]),
        ([0], [0, 90]),
    ]
    sites = []
    for _ in range(30):
        several = rng.random() < 0.3  # ploidies
        rows: list[SampleRow] = []
        for number in range(8):
            genotype, phred = kinds[rng.randrange(3) if several else number % 2]
            rows.append((number, genotype, phred, rng.choice([3, 99]) if several else 50))
        rng.shuffle(rows)
        sites.append(site(rows, rng.random() < 0.5, rng.choice([VALUES, other_values])))
    assert [texts(one) for one in cells_of(sites)] == [texts(*cells_of([one])) for one in sites]


def test_batches_have_all_sites_in_order_and_about_as_many_values() -> None:
    sites = [site([(number % 8, [0, 0], [0, 60, 100], 9)] * 4000) for number in range(40)]
    found = list(batches(iter(sites)))
    assert [one for batch in found for one in batch] == sites
    assert {len(batch) for batch in found[:-1]} == {-(-VALUES_AT_ONCE // 4000)}
