from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.report.concordance import Agreement, Concordance, Regions, read_header, score

Compare = Callable[..., Concordance]
#           1234567890123456
SEQUENCE = "GGCACACATTTTGACC"
HEADER = """##fileformat=VCFv4.2
##FILTER=<ID=LowQual,Description="low">
##contig=<ID=c,length=16>
##FORMAT=<ID=GT,Number=1,Type=String,Description="GT">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"""
TRUTH = ["3 C T . 0|1 1|1", "8 A AT . 1|0 0|0"]


def vcf(path: Path, samples: str, records: list[str]) -> Path:
    """Write a VCF of records given as `POS REF ALT FILTER GT…`."""
    lines = ["\t".join([HEADER, *samples.split()])]
    for record in records:
        pos, ref, alt, passed, *genotypes = record.split()
        lines.append("\t".join(["c", pos, ".", ref, alt, ".", passed, ".", "GT", *genotypes]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    def call(calls: list[str], truth: list[str] = TRUTH, samples: str = "a b", sequence: str = SEQUENCE) -> Concordance:
        (tmp_path / "r.fa").write_text(f">c\n{sequence}\n")
        return score(
            vcf(tmp_path / "calls.vcf", samples, calls), vcf(tmp_path / "truth.vcf", "a b", truth), tmp_path / "r.fa"
        )

    return call


@pytest.mark.parametrize(
    ("calls", "snp", "indel"),
    [
        (["3 C T PASS 0/1 1/1", "8 A AT . 0/1 0/0"], (2, 2, 2), (1, 1, 1)),
        (["3 C T PASS 1/0 0/1"], (2, 1, 2), (1, 0, 0)),  # het for hom
        (["3 C T PASS 0/1 ./."], (2, 1, 1), (1, 0, 0)),  # missing
        (["3 C T LowQual 0/1 1/1"], (2, 0, 0), (1, 0, 0)),
        (["3 C T PASS 0/1 1/1", "5 C T PASS 0/1 0/0"], (2, 2, 3), (1, 0, 0)),  # one too many
        (["3 CA TA PASS 0/1 1/1", "10 TTT TTTT PASS 0/1 0/0"], (2, 2, 2), (1, 1, 1)),  # written otherwise
        (["3 C G,T PASS 0/2 2/2"], (2, 2, 2), (1, 0, 0)),
        (["3 C T,* PASS 1/2 1/1", "8 A <DEL> PASS 0/1 0/0"], (2, 2, 2), (1, 0, 0)),
        (["3 C T PASS 0/1 1"], (2, 1, 2), (1, 0, 0)),  # haploid: one copy
        ([], (2, 0, 0), (1, 0, 0)),
    ],
)
def test_genotypes_are_scored_exactly(
    compare: Compare, calls: list[str], snp: tuple[int, ...], indel: tuple[int, ...]
) -> None:
    assert compare(calls) == Concordance(Agreement(*snp), Agreement(*indel))


def test_ambiguity_codes_of_the_reference_are_reduced_as_in_calls(compare: Compare) -> None:
    calls = ["3 C T PASS 0/1 1/1", "8 A AT PASS 0/1 0/0"]
    assert compare(calls, sequence="kgymcacrttttgacc") == compare(calls)


def test_only_common_samples_count(compare: Compare) -> None:
    assert compare(["3 C T PASS 1/1 1/1"], samples="x b") == Concordance(Agreement(1, 1, 1), Agreement(0, 0, 0))


def test_json_has_ratios_or_null(compare: Compare) -> None:
    assert compare(["3 C T PASS 0/1 0/1", "5 C T PASS 0/1 0/0"]).to_json() == {
        "snp": {"truth": 2, "found": 1, "calls": 3, "sensitivity": 0.5, "precision": 0.333333},
        "indel": {"truth": 1, "found": 0, "calls": 0, "sensitivity": 0.0, "precision": None},
    }


def test_no_common_sample(compare: Compare) -> None:
    with pytest.raises(DataError, match=r"calls\.vcf: expected samples that are in .*truth\.vcf too, found none"):
        compare(["3 C T PASS 0/1"], samples="x")


def test_another_reference(compare: Compare) -> None:
    with pytest.raises(DataError, match=r"same reference, found REF T at c:3, where the reference has C"):
        compare(["3 T C PASS 0/1 0/0"])


@pytest.mark.parametrize("broken", ["calls.vcf", "r.fa"])
def test_files_that_cannot_be_read(compare: Compare, tmp_path: Path, broken: str) -> None:
    compare([])
    with pytest.raises(DataError, match=rf"none-{broken}: expected a (VCF|FASTA)"):
        score(
            tmp_path / ("none-calls.vcf" if broken == "calls.vcf" else "calls.vcf"),
            tmp_path / "truth.vcf",
            tmp_path / ("none-r.fa" if broken == "r.fa" else "r.fa"),
        )


def test_samples_with_another_name_in_the_truth(tmp_path: Path) -> None:
    (tmp_path / "r.fa").write_text(f">c\n{SEQUENCE}\n")
    calls = vcf(tmp_path / "calls.vcf", "x b", ["3 C T PASS 0/1 1/1"])
    truth = vcf(tmp_path / "truth.vcf", "a b", TRUTH)
    assert score(calls, truth, tmp_path / "r.fa").snp == Agreement(1, 1, 1)  # only b
    assert score(calls, truth, tmp_path / "r.fa", {"x": "a"}).snp == Agreement(2, 2, 2)
    assert score(calls, truth, tmp_path / "r.fa", {"b": "a"}).snp == Agreement(1, 0, 1)


@pytest.mark.parametrize(
    ("regions", "snp", "indel"),
    [
        ([("c", 0, 16)], (2, 2, 2), (1, 1, 1)),
        ([("c", 2, 3)], (2, 2, 2), (0, 0, 0)),
        ([("c", 0, 2), ("c", 3, 7)], (0, 0, 0), (0, 0, 0)),
        ([("c", 7, 8)], (0, 0, 0), (1, 1, 1)),  # the base before the insertion
        ([("c", 8, 16)], (0, 0, 0), (0, 0, 0)),
        ([("d", 0, 16)], (0, 0, 0), (0, 0, 0)),
        ([("c", 5, 9), ("c", 1, 6)], (2, 2, 2), (1, 1, 1)),
        ([], (0, 0, 0), (0, 0, 0)),
    ],
)
def test_only_alleles_in_the_regions_count(
    tmp_path: Path, regions: list[tuple[str, int, int]], snp: tuple[int, ...], indel: tuple[int, ...]
) -> None:
    (tmp_path / "r.fa").write_text(f">c\n{SEQUENCE}\n")
    calls = vcf(tmp_path / "calls.vcf", "a b", ["3 C T PASS 0/1 1/1", "8 A AT . 0/1 0/0"])
    truth = vcf(tmp_path / "truth.vcf", "a b", TRUTH)
    found = score(calls, truth, tmp_path / "r.fa", None, Regions(regions))
    assert found == Concordance(Agreement(*snp), Agreement(*indel))


def test_a_truth_that_is_gzip_and_not_bgzip_is_refused(tmp_path: Path) -> None:
    path = vcf(tmp_path / "truth.vcf", "a", [])
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(DataError, match="expected a VCF that is plain or compressed with bgzip, found gzip"):
        read_header(path)
