"""The model's algorithms against sums over all paths, and what must hold of any panel."""

from __future__ import annotations

import sys
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
from diploid_model import genotypes
from genetic_map import GeneticMap
from haplotype_model import Floats, Panel, Sampling, minor_probabilities
from imputed import impute
from numpy.typing import NDArray
from state_choice import choose_states

ERROR = 0.01
SAMPLING = Sampling(1e-4, 3, 3, 2)


def panel_of(haplotypes: NDArray[np.bool_], switch: float) -> Panel:
    """Return the panel of haplotypes of minor and major alleles; shape (haplotypes, M)."""
    flipped = haplotypes.mean(0) > 0.5
    carriers = [np.flatnonzero(column != flip) for column, flip in zip(haplotypes.T, flipped, strict=True)]
    switches = np.full(haplotypes.shape[1], switch)
    switches[0] = 0
    return Panel(carriers, flipped, len(haplotypes), switches)


def probability_of_path(path: tuple[int, ...], count: int, switch: float) -> float:
    probability = 1 / count
    for one, other in pairwise(path):
        probability *= switch / count + (1 - switch) * (one == other)
    return probability


def enumerated(haplotypes: NDArray[np.bool_], major: Floats, minor: Floats, switch: float) -> Floats:
    """Return the probability of the minor allele at each site, by summing over all paths and errors."""
    count, sites = haplotypes.shape
    sums = np.zeros((sites, 2))
    for path in product(range(count), repeat=sites):
        for alleles in product((False, True), repeat=sites):
            weight = probability_of_path(path, count, switch)
            for site, allele in enumerate(alleles):
                weight *= ERROR if allele != haplotypes[path[site], site] else 1 - ERROR
                weight *= minor[site] if allele else major[site]
            sums[range(sites), [int(allele) for allele in alleles]] += weight
    return np.asarray(sums[:, 1] / sums.sum(1))


@pytest.mark.parametrize("seed", range(3))
def test_one_haplotype_is_the_sum_over_all_paths(seed: int) -> None:
    random = np.random.default_rng(seed)
    haplotypes = random.random((5, 4)) < 0.4
    haplotypes[0] = ~haplotypes[1]  # every site has both alleles
    panel = panel_of(haplotypes, 0.2)
    major, minor = random.random((2, 4, 1))
    of_minor = haplotypes != panel.flipped
    expected = enumerated(of_minor, major[:, 0], minor[:, 0], 0.2)
    assert minor_probabilities(panel, major, minor, ERROR)[:, 0] == pytest.approx(expected, abs=1e-6)


def test_one_haplotype_of_many_sites_with_strong_likelihoods() -> None:
    """The factors and summands leave no trace in the digits, as a dense forward-backward algorithm shows."""
    random = np.random.default_rng(1)
    haplotypes = random.random((40, 400)) < random.random(400) * 0.9
    haplotypes[0], haplotypes[1] = True, False
    panel = panel_of(haplotypes, 0.01)
    of_minor = haplotypes != panel.flipped
    major, minor = 10.0 ** -random.integers(0, 9, (2, 400, 3))
    emission = np.where(of_minor.T[:, :, None], minor[:, None], major[:, None]) * (1 - ERROR)
    emission += np.where(of_minor.T[:, :, None], major[:, None], minor[:, None]) * ERROR
    forward, states = [], np.full((40, 3), 1 / 40)
    for site in range(400):
        states = states * (1 - panel.switch[site]) + states.sum(0) * panel.switch[site] / 40
        forward.append(states)
        states = states * emission[site] / (states * emission[site]).sum(0)
    after = np.ones((40, 3))
    expected = np.empty((400, 3))
    for site in range(399, -1, -1):
        weights = forward[site] * after * emission[site]
        carried = weights[of_minor[:, site]].sum(0) / weights.sum(0)
        of_carriers = (1 - ERROR) * minor[site] + ERROR * major[site]
        of_others = (1 - ERROR) * major[site] + ERROR * minor[site]
        right, wrong = (1 - ERROR) * minor[site] / of_carriers, ERROR * minor[site] / of_others
        expected[site] = carried * right + (1 - carried) * wrong
        after = after * emission[site]
        after = after * (1 - panel.switch[site]) + after.sum(0) * panel.switch[site] / 40
        after /= after.sum(0)
    assert np.abs(minor_probabilities(panel, major, minor, ERROR) - expected).max() < 1e-5


def test_genotypes_are_the_sum_over_all_pairs_of_paths() -> None:
    random = np.random.default_rng(2)
    haplotypes = random.random((3, 3)) < 0.5
    likelihoods, switch = random.random((3, 3)), 0.3
    sums = np.zeros((3, 3))
    for first, second in product(product(range(3), repeat=3), repeat=2):
        weight = probability_of_path(first, 3, switch) * probability_of_path(second, 3, switch)
        by_site = np.zeros((3, 3))
        for site in range(3):
            for one, two in product((0, 1), repeat=2):
                chance = ERROR if one != haplotypes[first[site], site] else 1 - ERROR
                chance *= ERROR if two != haplotypes[second[site], site] else 1 - ERROR
                by_site[site, one + two] += chance * likelihoods[site, one + two]
        for site in range(3):
            rest = np.prod([by_site[other].sum() for other in range(3) if other != site])
            sums[site] += weight * rest * by_site[site]
    found = genotypes(haplotypes.T, likelihoods, np.array([0, switch, switch]), ERROR)
    assert found.probabilities == pytest.approx(sums / sums.sum(1, keepdims=True), abs=1e-5)


def test_flat_likelihoods_give_the_frequencies_of_the_panel() -> None:
    random = np.random.default_rng(3)
    haplotypes = random.random((50, 80)) < 0.3
    haplotypes[0], haplotypes[1] = True, False
    panel = panel_of(haplotypes, 0.05)
    flat = np.ones((80, 1, 3))
    frequency = haplotypes.mean(0)
    found = impute(panel, flat, [np.random.default_rng(1)], SAMPLING, 64).probabilities[:, 0]
    dosage = found[:, 1] + 2 * found[:, 2]
    assert dosage / 2 == pytest.approx(frequency, abs=0.001)
    assert found[:, 2] == pytest.approx(frequency**2, abs=0.02)


@pytest.mark.parametrize("states", [64, 512])
def test_two_copies_of_the_panel_are_recovered_from_every_tenth_site(states: int) -> None:
    random = np.random.default_rng(4)
    haplotypes = random.random((300, 2000)) < 0.3
    haplotypes[0], haplotypes[1] = True, False
    panel = panel_of(haplotypes, 0.001)
    own = haplotypes[[17, 230]]
    likelihoods = np.ones((2000, 1, 3))
    for site in range(0, 2000, 10):
        likelihoods[site] = 1e-3
        likelihoods[site, 0, own[:, site].sum()] = 1
    found = impute(panel, likelihoods, [np.random.default_rng(1)], SAMPLING, states)
    assert (found.probabilities[:, 0].argmax(1) == own.sum(0)).mean() > 0.99
    heterozygous = own[0] != own[1]
    first = found.first_has_more[heterozygous, 0] == own[0, heterozygous]
    assert first.mean() > 0.99 or first.mean() < 0.01  # one phase from end to end, of several segments


def test_the_choice_has_the_haplotypes_that_are_copied() -> None:
    random = np.random.default_rng(5)
    haplotypes = random.random((200, 256)) < 0.3
    carriers = panel_of(haplotypes, 0.01).carriers
    flipped = haplotypes.mean(0) > 0.5
    own = np.concatenate([haplotypes[7, :128], haplotypes[150, 128:]]) != flipped
    chosen = choose_states(carriers, 200, own[:, None], 8)
    assert {7, 150} <= set(chosen.tolist())
    assert len(chosen) == 8


def test_switches_follow_a_genetic_map(tmp_path: Path) -> None:
    flat = GeneticMap(None).switches("c1", [1, 1_000_001], 4000)
    assert flat == pytest.approx([0, 1 - np.exp(-4 * 20_000 * 0.01 / 4000)])
    (tmp_path / "map").write_text("pos chr cM\n1 c1 0\n1000001 c1 3\n")
    of_map = GeneticMap(str(tmp_path / "map"))
    assert of_map.switches("c1", [1, 500_001], 4000)[1] == pytest.approx(1 - np.exp(-4 * 20_000 * 0.015 / 4000))
    assert of_map.switches("c2", [1, 1_000_001], 4000) == pytest.approx(flat)
