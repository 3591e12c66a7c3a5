"""Our calls of real reads reach those of plain bcftools, and joint calls those of single samples, at every depth.

Joint genotypes agree with direct calling: one pileup of all samples.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

import pytest

from benchmarks.accuracy import add_other_calls, full_depths, score
from benchmarks.accuracy_calls import plain_reference, run_pipeline
from benchmarks.accuracy_scores import DOUBTLESS, KINDS, Truth, mean_depths
from benchmarks.accuracy_tables import AGREES, ALL_ALLELES, DIRECT, INHERITED, JOINT, PLAIN, SINGLE, Row
from benchmarks.family import simulated_family
from benchmarks.real_sets import FULL, SETS, RealSet, downsampled

SEEDS = 3
DEPTHS = ("5", "8", "10", "15", FULL)
INDEL_TOLERANCE = {"15": 0.005}  # of a joint F1 below that of single samples: one site, which truth lacks
Runs = Mapping[tuple[str, str], Sequence[Row]]  # by depth and way of calling


def measure(real: RealSet, depths: Sequence[str], seeds: int, cache: Path, factory: pytest.TempPathFactory) -> Runs:
    """Run a set at each depth, the full one first, whose depths are those of the set."""
    reference = plain_reference(real, factory.mktemp("depths"))
    truth = Truth(real, reference)
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    measured: dict[str, float] = {}
    for reads in downsampled(real, depths, seeds, cache, lambda one: measured or full_depths(one)):
        run = factory.mktemp("run")
        called = run_pipeline(reads, "minibwa", [], run)
        if reads.depth == FULL:
            measured.update(mean_depths(called.alignments))
        add_other_calls(called, real, reference, run)
        for row in score(reads, called, truth, reference):
            rows[reads.depth, row.calls].append(row)
    return rows


@pytest.fixture(scope="module")
def people(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Return the rows of three real people."""
    return measure(SETS["1000g-3sample-chr21-chr22"], DEPTHS, SEEDS, cache, tmp_path_factory)


@pytest.fixture(scope="module")
def family(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Return the rows of a simulated family of eight."""
    return measure(simulated_family(cache), ("5", FULL), 1, cache, tmp_path_factory)


@pytest.fixture(scope="module")
def family_of_ten_reads(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Return the rows of the family at 10x, where single reads show indels that a parent has."""
    return measure(simulated_family(cache), ("10",), SEEDS, cache, tmp_path_factory)


def f1(runs: Runs, depth: str, calls: str, kind: str) -> float:
    return mean(row.figures[kind] for row in runs[depth, calls])


def share(runs: Runs, depth: str, calls: str, name: str) -> float:
    """Return a pooled share, in per cent."""
    counts = [row.counts[name] for row in runs[depth, calls]]
    return 100 * sum(part for part, _ in counts) / sum(whole for _, whole in counts)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_calls_of_single_samples_reach_plain_bcftools(people: Runs, depth: str, kind: str) -> None:
    assert f1(people, depth, SINGLE, kind) >= f1(people, depth, PLAIN, kind)


@pytest.mark.parametrize("depth", DEPTHS)
def test_joint_calls_reach_those_of_single_samples(people: Runs, depth: str) -> None:
    assert f1(people, depth, JOINT, "SNP") >= f1(people, depth, SINGLE, "SNP")
    tolerance = INDEL_TOLERANCE.get(depth, 0)
    assert f1(people, depth, JOINT, "INDEL") >= f1(people, depth, SINGLE, "INDEL") - tolerance
    for kind in KINDS:
        assert f1(people, depth, JOINT, kind + DOUBTLESS) >= f1(people, depth, SINGLE, kind + DOUBTLESS)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_joint_calls_reach_direct_calls(people: Runs, depth: str, kind: str) -> None:
    assert f1(people, depth, JOINT, kind) >= f1(people, depth, DIRECT, kind)


@pytest.mark.parametrize(
    ("depth", "other", "kind", "least"),
    [(FULL, DIRECT, "SNP", 99.5), ("5", DIRECT, "SNP", 99.0), (FULL, ALL_ALLELES, "INDEL", 96.0)],
)
def test_joint_genotypes_agree_with_direct_calling(
    people: Runs, depth: str, other: str, kind: str, least: float
) -> None:
    assert share(people, depth, JOINT, f"{AGREES} {other} {kind}") >= least


@pytest.mark.parametrize("depth", ["5", FULL])
@pytest.mark.parametrize("kind", KINDS)
def test_a_child_has_what_its_parents_have_as_often_as_by_direct_calling(family: Runs, depth: str, kind: str) -> None:
    assert share(family, depth, JOINT, f"{INHERITED} {kind}") >= share(family, depth, DIRECT, f"{INHERITED} {kind}")
    assert f1(family, depth, JOINT, kind) >= f1(family, depth, SINGLE, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_single_reads_of_indels_count_where_others_of_the_family_have_them(
    family_of_ten_reads: Runs, kind: str
) -> None:
    runs, name = family_of_ten_reads, f"{INHERITED} {kind}"
    assert share(runs, "10", JOINT, name) >= share(runs, "10", DIRECT, name)
    assert f1(runs, "10", JOINT, "INDEL") >= f1(runs, "10", SINGLE, "INDEL") + 0.01


def test_indels_of_eight_people_agree_where_direct_calling_leaves_no_allele_out(family: Runs) -> None:
    assert share(family, FULL, JOINT, f"{AGREES} {ALL_ALLELES} INDEL") >= 97.0
