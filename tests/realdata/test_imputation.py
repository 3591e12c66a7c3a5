"""Imputation of real reads of low depth, from a panel without their people, relatives and neighbours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import mean

import pytest

from benchmarks.accuracy import full_depths
from benchmarks.accuracy_calls import plain_reference
from benchmarks.accuracy_imputation import SET, imputing
from benchmarks.accuracy_scores import Truth
from benchmarks.real_sets import SETS, downsampled

SEEDS = 1
Figures = Mapping[tuple[str, str], Mapping[str, list[float]]]


@pytest.fixture(scope="module")
def figures(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """Return the F1 values by depth and way of calling, then by kind, one for each seed."""
    folder = tmp_path_factory.mktemp("imputation")
    real = SETS[SET]
    truth = Truth(real, plain_reference(real, folder))
    (run,) = imputing(real, folder)
    found: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for reads in downsampled(real, ["5", "8"], SEEDS, cache, full_depths):
        called = run(reads, tmp_path_factory.mktemp("run"))
        for way, calls in called.calls.items():
            for kind, value in truth.f1(calls).items():
                found[reads.depth, way][kind].append(value)
    return found


def test_snps_of_5x(figures: Figures) -> None:
    assert mean(figures["5", "imputed"]["SNP"]) >= 0.95
    assert mean(figures["5", "imputed, all alleles"]["SNP"]) >= 0.94  # of this seed .942; the median of three is .957


@pytest.mark.parametrize("depth", ["5", "8"])
@pytest.mark.parametrize("kind", ["SNP", "INDEL"])
def test_imputed_genotypes_are_better_than_called_ones(figures: Figures, depth: str, kind: str) -> None:
    imputed = mean(figures[depth, "imputed"][kind])
    assert imputed > mean(figures[depth, "joint, sites of the panel"][kind])
    assert imputed > mean(figures[depth, "plain bcftools, sites of the panel"][kind])
