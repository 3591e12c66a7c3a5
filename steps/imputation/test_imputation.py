"""The step's program, run as the worker runs it: samples of 0.6x with known haplotypes, and bad panels."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import pysam
import pysam.bcftools
import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
from sample_likelihoods import LOOK_BACK_BP
from test_study import SITES, Study, bgzip, genotypes, gvcf_text, panel_text


def metrics(folder: Path) -> dict[str, object]:
    counts: dict[str, object] = json.loads((folder / "out.json").read_text())
    return counts


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return Study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def imputed(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imputed") / "out"
    process = study.run(folder)
    assert process.returncode == 0, process.stderr
    return folder


def test_haplotypes_are_found_from_few_reads(study: Study, imputed: Path) -> None:
    found = genotypes(imputed / "out.vcf.gz")
    copies = {name: np.array(pairs).sum(1) for name, pairs in found.items()}
    right = [copies[name] == study.truth[name].sum(0) for name in study.samples]
    assert np.mean(right) > 0.98
    assert metrics(imputed)["sites"] == len(SITES)


def test_genotypes_are_phased_over_the_whole_window(study: Study, imputed: Path) -> None:
    for name, pairs in genotypes(imputed / "out.vcf.gz").items():
        same = [np.mean(np.array(pairs) == study.truth[name].T[:, order]) for order in ((0, 1), (1, 0))]
        assert max(same) > 0.95


def test_fields_agree_with_each_other(imputed: Path) -> None:
    with pysam.VariantFile(str(imputed / "out.vcf.gz")) as vcf:
        for record in vcf:
            if "IMP" not in record.info:
                continue
            dosages = []
            for sample in record.samples.values():
                none, one, two = sample["GP"]
                assert sample.phased
                assert abs(none + one + two - 1) < 0.002
                assert abs(sample["DS"][0] - one - 2 * two) < 0.003
                assert sum(sample["GT"]) == int(np.argmax(sample["GP"]))
                dosages.append(sample["DS"][0])
            assert abs(record.info["AF"][0] - np.mean(dosages) / 2) < 0.002
            assert record.info["AC"] == (sum(sum(sample["GT"]) for sample in record.samples.values()),)
            passes = record.info["DR2"][0] >= 0.3 or any(
                sum(sample["GT"]) and max(sample["GP"]) >= 0.9 for sample in record.samples.values()
            )
            assert list(record.filter.keys()) == (["PASS"] if passes else ["LowDR2"])


def test_calls_of_other_sites_are_kept(study: Study, tmp_path: Path) -> None:
    records = [
        "c1\t777\t.\tC\tT\t60\tPASS\tAC=1;AN=6\tGT\t0/1\t0/0\t0/0",
        "c1\t1000\t.\tA\tG,T\t60\tPASS\tAC=1,1;AN=6\tGT\t0/1\t0/2\t0/0",
    ]
    process = study.run(tmp_path / "out", calls=study.joint("two", records))
    assert process.returncode == 0, process.stderr
    with pysam.VariantFile(str(tmp_path / "out/out.vcf.gz")) as vcf:
        kept = [(one.pos, one.alts, [s["GT"] for s in one.samples.values()]) for one in vcf if "IMP" not in one.info]
    assert kept == [(777, ("T",), [(0, 1), (0, 0), (0, 0)]), (1000, ("T",), [(0, 0), (0, 1), (0, 0)])]
    assert metrics(tmp_path / "out")["not_in_panel"] == 2


def test_order_of_samples_and_cores_and_batches_change_no_genotype(study: Study, imputed: Path, tmp_path: Path) -> None:
    assert study.run(tmp_path / "one", vcpus=1, window_bp=20_000, margin_bp=10_000).returncode == 0
    assert study.run(tmp_path / "three", vcpus=3, window_bp=20_000, margin_bp=10_000).returncode == 0
    assert (tmp_path / "one/out.vcf.gz").read_bytes() == (tmp_path / "three/out.vcf.gz").read_bytes()
    calls = study.joint("reversed", [], ["S3", "S2", "S1"])
    assert study.run(tmp_path / "reversed", gvcfs=study.gvcfs[::-1], calls=calls).returncode == 0
    assert genotypes(tmp_path / "reversed/out.vcf.gz") == genotypes(imputed / "out.vcf.gz")
    alone = study.joint("alone", [], ["S2"])
    assert study.run(tmp_path / "alone", gvcfs=study.gvcfs[1:2], calls=alone).returncode == 0
    assert genotypes(tmp_path / "alone/out.vcf.gz")["S2"] == genotypes(imputed / "out.vcf.gz")["S2"]


def test_the_sampler_draws_other_numbers_for_each_sample_and_for_each_seed(study: Study, tmp_path: Path) -> None:
    """Three samples with the same reads would have the same probabilities if they had the same random numbers."""
    copies, depths = study.truth["S1"].sum(0), (np.arange(len(SITES)) % 4 == 0).astype(int)
    gvcfs = [bgzip(tmp_path / f"{name}.g.vcf.gz", gvcf_text(name, copies, depths)) for name in study.samples]
    found: list[list[tuple[tuple[float, ...], ...]]] = []
    for seed in (1, 1, 2):
        out = tmp_path / f"out{len(found)}"
        assert study.run(out, gvcfs=gvcfs, states=8, seed=seed).returncode == 0
        with pysam.VariantFile(str(out / "out.vcf.gz")) as vcf:
            sites = [one for one in vcf if "IMP" in one.info]
            found.append([tuple(one.samples[name]["GP"] for one in sites) for name in study.samples])
    assert found[0] == found[1]
    assert found[0] != found[2]
    assert len(set(found[0])) > 1


def test_windows_meet_without_gaps_or_repeats(study: Study, tmp_path: Path) -> None:
    assert study.run(tmp_path / "out", window_bp=10_000, margin_bp=20_000).returncode == 0
    with pysam.VariantFile(str(tmp_path / "out/out.vcf.gz")) as vcf:
        assert [one.pos for one in vcf if "IMP" in one.info] == list(SITES)


def test_people_of_the_cohort_and_of_the_list_are_left_out(study: Study, tmp_path: Path) -> None:
    names = ["S2", *study.names[1:]]
    panel = bgzip(tmp_path / "panel.vcf.gz", panel_text(study.haplotypes, names))
    (tmp_path / "relatives.txt").write_text("P05\nsomebody\n")
    process = study.run(tmp_path / "out", panel=panel, exclude_panel_samples=str(tmp_path / "relatives.txt"))
    assert process.returncode == 0, process.stderr
    assert f"{panel}: left out 1 people who are samples of the cohort: S2\n" in process.stderr
    assert f"{panel}: left out 1 people of exclude_panel_samples\n" in process.stderr
    assert (metrics(tmp_path / "out")["excluded"], metrics(tmp_path / "out")["panel_haplotypes"]) == (
        ["S2", "P05"],
        116,
    )
    shorter = bgzip(
        tmp_path / "rest.vcf.gz",
        panel_text(np.delete(study.haplotypes, [0, 1, 10, 11], 0), [n for n in names if n not in ("S2", "P05")]),
    )
    assert study.run(tmp_path / "rest", panel=shorter).returncode == 0
    assert genotypes(tmp_path / "rest/out.vcf.gz") == genotypes(tmp_path / "out/out.vcf.gz")


def test_a_bcf_file_with_further_fields_is_the_same_panel(study: Study, imputed: Path, tmp_path: Path) -> None:
    text = panel_text(study.haplotypes, study.names, form="{}|{}:7").replace("\tGT\t", "\tGT:DP\t")
    text = text.replace("##contig=<ID=c1>", '##contig=<ID=c1>\n##FORMAT=<ID=DP,Number=1,Type=Integer,Description="d">')
    (tmp_path / "panel.vcf").write_text(text)
    bcf = str(tmp_path / "panel.bcf")
    with pysam.VariantFile(str(tmp_path / "panel.vcf")) as vcf, pysam.VariantFile(bcf, "wb", header=vcf.header) as out:
        for record in vcf:
            out.write(record)
    pysam.bcftools.index(bcf)
    process = study.run(tmp_path / "out", panel=bcf)
    assert process.returncode == 0, process.stderr
    assert genotypes(tmp_path / "out/out.vcf.gz") == genotypes(imputed / "out.vcf.gz")


def test_a_region_with_haploid_genotypes_keeps_its_calls(study: Study, tmp_path: Path) -> None:
    text = panel_text(study.haplotypes, study.names)
    panel = bgzip(
        tmp_path / "panel.vcf.gz", text.replace("\tGT\t0|0\t", "\tGT\t0\t").replace("\tGT\t1|1\t", "\tGT\t1\t")
    )
    process = study.run(tmp_path / "out", panel=panel)
    assert process.returncode == 0, process.stderr
    assert "c1:1-60000: not imputed, calls are kept: the panel has haploid genotypes, such as" in process.stderr
    with pysam.VariantFile(str(tmp_path / "out/out.vcf.gz")) as vcf:
        assert [one.pos for one in vcf] == [777]


def test_a_sample_of_one_copy_keeps_its_calls(study: Study, tmp_path: Path) -> None:
    copies, depths = study.truth["S1"].sum(0), np.ones(len(SITES), dtype=int)
    text = gvcf_text("S1", copies, depths).replace("PL:DP\t0,3,37:1", "PL:DP\t0,37:1")
    gvcf = bgzip(tmp_path / "S1.g.vcf.gz", text)
    process = study.run(tmp_path / "out", gvcfs=[gvcf, *study.gvcfs[1:]])
    assert process.returncode == 0, process.stderr
    assert "c1:1-60000: not imputed, calls are kept: the cohort has haploid genotypes at c1:" in process.stderr
    with pysam.VariantFile(str(tmp_path / "out/out.vcf.gz")) as vcf:
        assert [one.pos for one in vcf] == [777]


def test_no_reads_give_the_frequencies_of_the_panel(study: Study, tmp_path: Path) -> None:
    nothing = np.zeros(len(SITES), dtype=int)
    gvcf = bgzip(tmp_path / "S1.g.vcf.gz", gvcf_text("S1", nothing, nothing))
    process = study.run(tmp_path / "out", gvcfs=[gvcf], calls=study.joint("empty", [], ["S1"]), rounds=20, chains=40)
    assert process.returncode == 0, process.stderr
    with pysam.VariantFile(str(tmp_path / "out/out.vcf.gz")) as vcf:
        differences = [record.info["AF"][0] - record.info["RAF"][0] for record in vcf]
    assert max(map(abs, differences)) < 0.05


def test_files_in_s3_are_read_as_far_as_the_largest_margin() -> None:
    declared = tomllib.loads(Path(__file__).with_name("step.toml").read_text())
    largest = declared["parameters"]["margin_bp"]["maximum"]
    assert declared["parameters"]["panel"]["margin_bp"] == largest
    assert declared["inputs"]["gvcfs"]["margin_bp"] == largest + LOOK_BACK_BP


PHASED = "expected phased genotypes without missing alleles, such as 0|1, found {} of P00; phase the panel first"
OTHER = "expected the reference's A as REF, found T; is the panel of another assembly?"
BAD = {
    "unphased": ("\tGT\t{}|{}\t", "\tGT\t0/1\t", PHASED.format("0/1")),
    "missing": ("\tGT\t{}|{}\t", "\tGT\t.|.\t", PHASED.format(".|.")),
    "other allele": ("\tGT\t{}|{}\t", "\tGT\t0|2\t", PHASED.format("0|2")),
    "other reference": ("rs1000\tA\tG", "rs1000\tT\tG", OTHER),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_panels(study: Study, tmp_path: Path, case: str) -> None:
    old, new, message = BAD[case]
    first = study.haplotypes[:2, 0]
    panel = bgzip(
        tmp_path / "panel.vcf.gz", panel_text(study.haplotypes, study.names).replace(old.format(*first), new, 1)
    )
    process = study.run(tmp_path / "out", panel=panel)
    found = process.stderr.splitlines()[0]
    assert (process.returncode, found) == (65, f"error: {panel}: c1:1000: {message}")


def test_a_panel_of_the_cohort_only(study: Study, tmp_path: Path) -> None:
    panel = bgzip(tmp_path / "panel.vcf.gz", panel_text(study.haplotypes[:6], study.samples))
    process = study.run(tmp_path / "out", panel=panel)
    expected = "expected phased genotypes of people outside of the cohort"
    assert process.stderr == f"error: {panel}: {expected}, found all 3 are samples of the cohort, or excluded\n"
    assert process.returncode == 65


def test_other_bad_files(study: Study, tmp_path: Path) -> None:
    (tmp_path / "map").write_text("chr c 0 0\nc1 . 1.5 1000\nc1 . 1.0 2000\n")
    process = study.run(tmp_path / "map-out", genetic_map=str(tmp_path / "map"))
    expected = "expected increasing positions and cM, found 2000, 1.0 after 1000, 1.5"
    assert (process.returncode, process.stderr) == (65, f"error: {tmp_path / 'map'}:3: {expected}\n")
    (tmp_path / "names").write_text("A B\n")
    process = study.run(tmp_path / "names-out", exclude_panel_samples=str(tmp_path / "names"))
    expected = "line 1: expected the name of a person, found 'A B'"
    assert (process.returncode, process.stderr) == (65, f"error: {tmp_path / 'names'}: {expected}\n")
    process = study.run(tmp_path / "sample-out", gvcfs=study.gvcfs[:2])
    expected = "expected samples with a gVCF, found S3 without one"
    assert process.returncode == 65
    assert f"error: {study.calls}: {expected}\n" in process.stderr
    two = bgzip(tmp_path / "two.g.vcf.gz", gvcf_text("S1\tS2", *np.zeros((2, len(SITES)), dtype=int)))
    process = study.run(tmp_path / "two-out", gvcfs=[two, study.gvcfs[2]])
    expected = f"error: {two}: expected a gVCF of one sample, found 2 samples\n"
    assert (process.returncode, process.stderr) == (65, expected)
    process = study.run(tmp_path / "twice", gvcfs=[*study.gvcfs, study.gvcfs[0]])
    expected = f"expected a sample that no other file holds, found S1, which {study.gvcfs[0]} holds too"
    assert (process.returncode, process.stderr) == (65, f"error: {study.gvcfs[0]}: {expected}\n")
    process = study.run(tmp_path / "none", panel=None)
    expected = "parameters: expected a reference panel, found none; set imputation's parameter panel"
    assert (process.returncode, process.stderr) == (65, f"error: {expected}\n")
