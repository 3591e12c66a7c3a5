"""The evidence of samples for alleles, and the alleles that a cohort's sites get from it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from evidence import Evidence, Limits, Reads, alleles_of_site, evidence_of_indel
from tile_evidence import likelier_with

LIMITS = Limits(min_qual=20, min_depth=2, max_strand_bias=25, carrier_prior=0.02, prior=0.05)
HET = (90, 0, 60)  # QUAL 70 alone
WEAK = (36, 0, 100)  # QUAL 15 alone


def indel(phred: tuple[int, ...], depths: tuple[int, ...], allele: int = 1, bias: int | None = 0) -> Evidence:
    return evidence_of_indel(Reads(phred, depths, bias), allele, LIMITS)


def snp(phred: tuple[int, ...], allele: int = 1) -> Evidence:
    (likelier,) = likelier_with(np.array([phred], dtype=np.int16), np.array([3]), np.array([allele])).tolist()
    return Evidence(likelier)


def test_an_indel_is_evident_in_a_sample_with_enough_quality_alone_and_no_strand_bias() -> None:
    assert indel(HET, (4, 4)) == Evidence(90, True)
    assert indel(HET, (4, 4), bias=None) == Evidence(90, True)
    assert indel(WEAK, (6, 2)) == Evidence(36, False)  # LowQual
    assert indel((60, 3, 0), (0, 1)) == Evidence(60, True)  # LowDepth is of a record
    assert indel(HET, (4, 4), bias=26) == Evidence(90, False)  # StrandBias
    assert indel(HET, (4, 4), bias=25).alone


def test_of_alleles_that_fit_as_well_a_sample_is_evidence_of_those_that_it_is_called_with() -> None:
    repeat = (88, 37, 31, 61, 0, 52)  # 1/2
    assert [indel(repeat, (0, 2, 3), allele).alone for allele in (1, 2)] == [True, True]
    slipped = (88, 37, 31, 41, 25, 34)  # 2/1 is only 6 likelier than 1/1, less than an allele costs
    assert [indel(slipped, (0, 5, 1), allele).alone for allele in (1, 2)] == [True, False]


def test_an_indel_of_two_reads_without_a_reference_read_has_the_quality_that_bcftools_gives_it() -> None:
    assert not indel((34, 6, 0), (0, 2)).alone  # 17
    assert indel((38, 6, 0), (0, 2)).alone  # 21


def test_a_snp_counts_as_far_as_nothing_else_explains_its_reads() -> None:
    assert snp((60, 0, 50, 66, 52, 90)) == Evidence(60)
    error = (255, 30, 30, 250, 24, 255)  # 1/2 of nine reads of allele 1 and one of 2
    assert (snp(error, 1), snp(error, 2)) == (Evidence(226), Evidence(6))


def test_evidence_for_snps_adds_up_over_samples() -> None:
    least = LIMITS.least_evidence(3)  # 26.4
    two, three = Evidence(9).plus(Evidence(9)), Evidence(9).plus(Evidence(9)).plus(Evidence(9))
    assert alleles_of_site({"C": two, "G": Evidence(60)}, False, least) == ["G"]
    assert alleles_of_site({"C": three, "G": Evidence(60)}, False, least) == ["C", "G"]
    assert alleles_of_site({"C": two, "G": two}, False, least) == []


def test_an_indel_that_is_evident_in_no_sample_alone_is_left_out_beside_one_that_is() -> None:
    weak, strong = Evidence(36), Evidence(40, True)
    assert alleles_of_site({"T": weak, "TAA": strong}, True, 26) == ["TAA"]
    assert alleles_of_site({"T": weak, "TAA": weak}, True, 26) == ["T", "TAA"]  # they fail a filter
    assert alleles_of_site({"T": Evidence(12), "TAA": Evidence(12)}, True, 26) == []
    assert Evidence(3).plus(strong) == strong.plus(Evidence(3)) == Evidence(43, True)


def test_a_large_cohort_needs_less_evidence_up_to_a_limit() -> None:
    assert [round(LIMITS.least_evidence(many), 2) for many in (1, 3, 1000)] == [30, 26.41, 20.87]
    often, always = (LIMITS._replace(prior=prior).least_evidence(3) for prior in (0.5, 1))
    assert often == always == pytest.approx(20 - 2.967, abs=0.001)
    assert LIMITS._replace(prior=0).least_evidence(3) == always
