"""Alleles that the panel lacks: their QUAL by the lowered prior, the filter, and where the panel cannot know."""

from __future__ import annotations

import json
import sys
from math import log10
from pathlib import Path
from typing import Any

import numpy as np
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
from absent_alleles import prior_ratio, quality
from test_study import SITES, Alleles, Study, bgzip, gvcf_text, panel_text

SAMPLES = ("S1", "S2", "S3")
CALLED = "c1\t{}\t.\t{}\t{}\t{}\t{}\tAC=1;AN=6\tGT\t0/1\t0/0\t0/0"
REFERENCE = "0/0:0,9,111:3"
INDEL = "c1\t5100\trs5100\tCC\tC\t.\t.\t.\tGT"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return Study(tmp_path_factory.mktemp("study"))


def with_records(text: str, records: list[str]) -> str:
    """Return the text of a VCF with more records, in order."""
    lines = text.splitlines(keepends=True)
    header = [line for line in lines if line.startswith("#")]
    body = [*(line for line in lines if not line.startswith("#")), *(f"{record}\n" for record in records)]
    return "".join([*header, *sorted(body, key=lambda line: int(line.split("\t")[1]))])


def run(
    study: Study, folder: Path, records: list[str], likelihoods: list[str], **parameters: Any
) -> dict[tuple[int, str], tuple[float, list[str]]]:
    """Return QUAL and filters of the records that are not imputed, by position and allele.

    Args:
        study: The study.
        folder: A new folder.
        records: The cohort's records.
        likelihoods: The same records in the first sample's gVCF.
        parameters: Parameters of the step.
    """
    nothing: Alleles = np.zeros(len(SITES), dtype=int)
    gvcfs = [bgzip(folder / "S1.g.vcf.gz", with_records(gvcf_text("S1", nothing, nothing), likelihoods))]
    gvcfs += [bgzip(folder / f"{name}.g.vcf.gz", gvcf_text(name, nothing, nothing)) for name in SAMPLES[1:]]
    process = study.run(folder / "out", gvcfs=gvcfs, calls=study.joint(folder.name, records), **parameters)
    assert process.returncode == 0, process.stderr
    with pysam.VariantFile(str(folder / "out/out.vcf.gz")) as vcf:
        return {
            (one.pos, (one.alts or ("",))[0]): (round(one.qual or 0, 2), sorted(map(str, one.filter)))
            for one in vcf
            if "IMP" not in one.info
        }


def snp(pos: int, phred: str, alts: str = "T") -> str:
    ref = "A" if pos in SITES else "C"
    return f"c1\t{pos}\t.\t{ref}\t{alts},<*>\t0\t.\tDP=4\tPL:DP\t{phred}:4"


def expected(phred: int, haplotypes: int = 120, prior: float = 0.05, rarest: int = 4) -> float:
    """Return QUAL behind haplotypes that lack the allele, of three samples; the study's rarest SNP has 4 copies."""
    behind = sum(1 / (haplotypes + number) for number in range(6))
    alone = 1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5 + 1 / 6
    return round(10 * log10(1 + prior * rarest * behind / alone * 10 ** (phred / 10)), 2)


def test_the_prior_of_an_allele_that_the_panel_lacks_follows_from_its_haplotypes(study: Study, tmp_path: Path) -> None:
    records = [
        CALLED.format(777, "C", "T", 60, "PASS"),
        CALLED.format(1111, "C", "T", 60, "PASS"),
        CALLED.format(1222, "C", "G", 25, "LowDepth"),
        CALLED.format(1333, "C", "G", 12, "PASS"),
    ]
    likelihoods = [
        snp(777, "61,0,89,255,255,255"),
        snp(1111, "43,0,89,255,255,255"),
        snp(1222, "40,0,89,255,255,255", "G"),
        snp(1333, "90,0,89,255,255,255", "G"),
    ]
    found = run(study, tmp_path, records, likelihoods)
    assert found == {
        (777, "T"): (expected(61), ["PASS"]),
        (1111, "T"): (expected(43), ["NotInPanel"]),
        (1222, "G"): (expected(40), ["LowDepth", "NotInPanel"]),
        (1333, "G"): (12, ["PASS"]),  # the panel makes no allele more certain than it was
    }
    assert expected(61) == 37.02
    assert expected(43) == 19.07
    metrics = json.loads((tmp_path / "out/out.json").read_text())
    assert (metrics["not_in_panel"], metrics["not_in_panel_filtered"]) == (4, 2)
    with pysam.VariantFile(str(tmp_path / "out/out.vcf.gz")) as vcf:
        description = vcf.header.filters["NotInPanel"].description
    assert description == "The panel lacks the allele, and given that, QUAL is below 20"


def test_the_prior_and_the_least_qual_are_parameters(study: Study, tmp_path: Path) -> None:
    records, likelihoods = [CALLED.format(777, "C", "T", 60, "PASS")], [snp(777, "61,0,89,255,255,255")]
    found = run(study, tmp_path, records, likelihoods, prior=0.001, min_qual=20.1)
    assert found == {(777, "T"): (expected(61, prior=0.001), ["NotInPanel"])}
    assert expected(61, prior=0.001) == 20.07


def test_a_small_panel_hardly_says_that_an_allele_is_rare(study: Study, tmp_path: Path) -> None:
    few = bgzip(tmp_path / "panel.vcf.gz", panel_text(study.haplotypes[:4], study.names[:2]))
    records, likelihoods = [CALLED.format(777, "C", "T", 36, "PASS")], [snp(777, "40,0,89,255,255,255")]
    assert run(study, tmp_path, records, likelihoods, panel=few) == {(777, "T"): (expected(40, 4, rarest=1), ["PASS"])}
    assert expected(40, 4, rarest=1) == 23.1


def test_where_the_panel_cannot_know_calls_are_kept(study: Study, tmp_path: Path) -> None:
    """The panel has no indels; all of its haplotypes have the T at 2222."""
    of_all = "c1\t2222\t.\tC\tT\t.\t.\t.\tGT" + "\t1|1" * len(study.names)
    text = with_records(panel_text(study.haplotypes, study.names), [of_all])
    panel = bgzip(tmp_path / "panel.vcf.gz", text)
    records = [CALLED.format(2222, "C", "T", 21, "PASS"), CALLED.format(3333, "CC", "C", 21, "PASS")]
    found = run(study, tmp_path, records, [], panel=panel)
    # Left-aligned, the deletion of one C begins with the run of C.
    assert sorted(found.values()) == [(21, ["PASS"]), (21, ["PASS"])]


def test_indels_are_compared_with_indels_and_their_likelihoods_are_not_cut_off(study: Study, tmp_path: Path) -> None:
    """The rarest indel of the panel has two copies, so that alleles of one copy may have been removed from it."""
    carriers = ["\t1|1" if number == 0 else "\t0|0" for number in range(len(study.names))]
    text = with_records(panel_text(study.haplotypes, study.names), [INDEL + "".join(carriers)])
    panel = bgzip(tmp_path / "panel.vcf.gz", text)
    records = [CALLED.format(3001, "C", "CT", 60, "PASS")]
    likelihoods = ["c1\t3001\t.\tC\tCT\t0\t.\tINDEL;DP=4\tPL:DP\t61,0,89:4"]
    found = run(study, tmp_path, records, likelihoods, panel=panel)
    assert found == {(3001, "CT"): (expected(61, rarest=2), ["PASS"])}


def test_an_allele_is_judged_by_genotypes_without_it_not_by_the_reference(study: Study, tmp_path: Path) -> None:
    """The sample has two copies of the panel's G; reads of a T are no better explained by G/T."""
    records = [CALLED.format(1000, "A", "G,T", 200, "PASS").replace("0/1", "1/2").replace("AC=1", "AC=1,1")]
    likelihoods = [snp(1000, "200,20,10,200,0,200,255,255,255,255", "G,T")]
    found = run(study, tmp_path, records, likelihoods)
    assert found == {(1000, "T"): (expected(10), ["NotInPanel"])}


@given(st.integers(1, 2000), st.integers(1, 20_000), st.integers(1, 50))
def test_the_prior_falls_with_the_panel_and_rises_with_the_cohort(new: int, known: int, rarest: int) -> None:
    ratio = prior_ratio(new, known, rarest)
    assert 0 < ratio <= 1
    assert prior_ratio(new, 1, 1) == 1
    assert prior_ratio(new, known + 1, rarest) <= ratio <= prior_ratio(new, known, rarest + 1)


@given(st.integers(0, 100_000), st.floats(1e-12, 1))
def test_quality_never_overflows_and_rises_with_the_evidence(phred: int, prior: float) -> None:
    assert 0 <= quality(phred, prior) < quality(phred + 20, prior) <= phred + 20 + 3.02
