"""Genotypes of samples over the deletions of earlier records."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from cells import Cell, Cells, Genotype, beside_star, cell_of, with_star
from deletions import Deletions, over_deletions

SAMPLES = 60
KINDS = [
    Genotype((0, 0), (0, 60, 200), 20, 3, (20, 0), 60),
    Genotype((0, 1), (90, 0, 80), 12, None, (6, 6), 80),
    Genotype((1, 1), (200, 30, 0), 9, 0, (0, 9), 30),
    Genotype((1,), (90, 0), 5, 0, (0, 5), 90),
    Genotype((None, None), (0, 0, 0), 0, None, (0, 0), None),
]


def some_cells(rng: random.Random) -> Cells:
    """Return cells of samples, of which some are there twice, as those of columns that differ in a lost allele are."""
    different = [*map(cell_of, KINDS)]
    different = [*different, *different]
    return Cells(different, np.array(rng.choices(range(len(different)), k=SAMPLES)))


def test_each_sample_has_the_deletion_that_it_carries() -> None:
    rng = random.Random(3)
    for _ in range(20):
        deletions = Deletions("c")
        records = [some_cells(rng) for _ in range(rng.randrange(1, 3))]
        for pos, cells in enumerate(records, 5):
            deletions.add(pos, ("ACGTACGT", "A"), cells)
        site = some_cells(rng)
        expected = []
        for sample in range(SAMPLES):
            genotypes = [cell(cells, sample).genotype for cells in records]
            copies, certainty = max((one.alleles.count(1), one.quality or 0) for one in genotypes)
            here = cell(site, sample)
            expected.append((with_star(here, copies, certainty) if copies else beside_star(here)).text)
        over = over_deletions(site, deletions.at("c", 7))
        assert over is not None
        assert over.columns().split("\t") == expected


def cell(cells: Cells, sample: int) -> Cell:
    number: int = cells.numbers[sample]
    return cells.different[number]
