"""Joint genotypes of a small cohort whose likelihoods are known, by the step's program."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_aggregation import HEADER, index, run_step

BASES = "ACGGT" * 600
HET, HOM = "200,0,200", "200,30,0"
I16 = "300,9000,300,9000,600,36000,600,36000,250,6250,250,6250"


class Given(NamedTuple):
    """Lines of a gVCF from a position on: `alt` None is a block, "" a gap, else a variant.

    `strands` are reads of the reference, forward and reverse, and of the variant; `depths` of both, if not as
    likely. An indel `of_few` reads makes no site.
    """

    start: int
    end: int
    alt: str | None = None
    phred: str = "0,60,255"
    depth: int = 20
    ref: str = ""
    strands: str = "5,5,5,5"
    depths: str = ""
    of_few: bool = False


def snp(pos: int, alt: str, phred: str = HET, depth: int = 20) -> Given:
    return Given(pos, pos, alt, phred, depth)


def deletion(pos: int, bases: int, phred: str, depths: str = "") -> Given:
    return Given(pos, pos, BASES[pos - 1], phred, ref=BASES[pos - 1 : pos + bases], depths=depths)


def write_gvcf(folder: Path, sample: str, given: Iterable[Given]) -> str:
    """Write a gVCF of 20 reads of the reference everywhere else."""
    lines, position = [], 1
    for one in [*given, Given(3001, 3001, "")]:
        if one.start > position:
            lines.append(line(Given(position, one.start - 1)))
        if one.alt != "":
            lines.append(line(one))
        position = one.end + 1
    path = folder / f"{sample}.g.vcf.gz"
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write("".join([HEADER, sample, "\n", *lines]).encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return str(path)


def line(given: Given) -> str:
    ref = given.ref or BASES[given.start - 1]
    place = f"c1\t{given.start}\t.\t{ref.lower()}"  # as in soft-masked references
    if given.alt is None:
        info = f"END={given.end};MIN_DP={given.depth};QS=1,0"
        return f"{place}\t<*>\t.\t.\t{info}\tPL:DP\t{given.phred}:{given.depth}\n"
    share = 1.0 if given.phred.endswith(",0") else 0.5
    reads = round(share * given.depth)
    phred, depths, shares = given.phred, given.depths or f"{given.depth - reads},{reads}", f"{1 - share},{share}"
    alts, kind = given.alt.lower(), "INDEL;FEW;" if given.of_few else "INDEL;"
    if not given.ref:
        alts, kind, depths, shares = f"{alts},<*>", "", f"{depths},0", f"{shares},0"
        phred += ",230,230,255"
    info = f"{kind}DP={given.depth};I16={given.strands},{I16};QS={shares}"
    return f"{place}\t{alts}\t0\t.\t{info}\tPL:DP:SP:AD\t{phred}:{given.depth}:0:{depths}\n"


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a reference and the gVCFs of four samples."""
    folder = tmp_path_factory.mktemp("cohort")
    reference = folder / "reference.fa"
    reference.write_text(f">c1\n{BASES}\n")
    index(reference)
    few = [
        one._replace(of_few=True) for one in (deletion(1501, 2, HET), deletion(1601, 1, HET), deletion(1701, 1, HET))
    ]
    biased = snp(701, "C")._replace(strands="8,6,0,5")
    weak = [deletion(801, 2, "36,0,100", "6,2"), deletion(901, 2, "117,0,1", "1,7")]
    errors = [snp(1101, "C"), snp(1201, "C", "12,0,132"), snp(1301, "C", "12,0,132"), deletion(1401, 2, HET)]
    errors += [deletion(1501, 2, HET), deletion(1601, 2, HET)]
    write_gvcf(
        folder, "P", [snp(101, "C"), snp(201, "C"), deletion(401, 2, HET), snp(601, "C"), biased, *weak, *errors]
    )
    one_read = Given(101, 101, phred="0,3,37", depth=1)
    lonely = snp(301, "G", "60,3,0", depth=1)
    known = [snp(201, "G"), lonely, snp(403, "T"), snp(601, "C", "0,10,100")]
    errors = [snp(1101, "G", "12,0,132"), snp(1201, "C", "12,0,132"), deletion(1401, 1, "36,0,100", "6,2")]
    write_gvcf(folder, "Q", [one_read, *known, biased, *weak[:1], *errors])
    errors = [snp(1101, "G", "15,0,105"), snp(1201, "C", "12,0,132")]
    write_gvcf(folder, "R", [Given(101, 101, ""), snp(201, "T"), *weak[:1], Given(990, 1010, ""), *errors])
    write_gvcf(folder, "S", [deletion(401, 2, HOM), Given(402, 403, ""), snp(603, "T", "40,30,0"), *few])
    return folder


def genotype(cohort: Path, folder: Path, *intervals: str, **parameters: int) -> list[pysam.VariantRecord]:
    """Run the step over intervals and return their records, in order."""
    records = []
    for number, interval in enumerate(intervals or ["c1:1-3000"]):
        gvcfs = [str(cohort / f"{sample}.g.vcf.gz") for sample in "PQRS"]
        process = run_step(folder / str(number), cohort / "reference.fa", gvcfs, [interval], **parameters)
        assert process.returncode == 0, process.stderr
        with pysam.VariantFile(str(folder / str(number) / "joint.vcf.gz")) as vcf:
            records += [record.copy() for record in vcf]
    return records


@pytest.fixture(scope="module")
def joint(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, str], pysam.VariantRecord]:
    """Return the records by position and reference."""
    records = genotype(cohort, tmp_path_factory.mktemp("joint"))
    return {(record.pos, str(record.ref)): record for record in records}


def genotypes(record: pysam.VariantRecord) -> list[str]:
    return ["/".join("." if one is None else str(one) for one in call["GT"]) for call in record.samples.values()]


def test_a_reference_read_is_as_likely_of_a_heterozygote_as_of_any_other_site(
    joint: dict[tuple[int, str], pysam.VariantRecord],
) -> None:
    record = joint[101, "A"]
    assert genotypes(record) == ["0/1", "0/0", "./.", "0/0"]
    assert [call["PL"] for call in record.samples.values()][1::2] == [(0, 3, 37), (0, 60, 255)]
    assert [call["GQ"] < 20 for call in record.samples.values()][1::2] == [True, False]
    assert [(call["DP"], call["AD"]) for call in record.samples.values()] == [
        (20, (10, 10)),
        (1, (1, 0)),
        (0, (0, 0)),
        (20, (20, 0)),
    ]
    assert (record.info["DP"], record.info["AC"], record.info["AN"]) == (41, (1,), 6)


def test_more_than_two_alternate_alleles_survive(joint: dict[tuple[int, str], pysam.VariantRecord]) -> None:
    record = joint[201, "A"]
    assert record.alts == ("C", "G", "T")
    assert genotypes(record) == ["0/1", "0/2", "0/3", "0/0"]
    assert record.info["AC"] == (1, 1, 1)


def test_depth_is_asked_of_a_carrier(joint: dict[tuple[int, str], pysam.VariantRecord]) -> None:
    record = joint[301, "A"]
    assert genotypes(record)[1] in ("0/1", "1/1")
    assert "LowDepth" in record.filter
    assert list(joint[101, "A"].filter) == ["PASS"]


def test_reads_of_all_carriers_show_a_strand_bias(joint: dict[tuple[int, str], pysam.VariantRecord]) -> None:
    record = joint[701, "A"]
    assert [call["SP"] for call in record.samples.values()][:2] == [0, 0]
    assert list(record.filter) == ["StrandBias"]


def test_evidence_for_an_indel_does_not_add_up_over_carriers(
    joint: dict[tuple[int, str], pysam.VariantRecord],
) -> None:
    record = joint[801, "ACG"]
    assert genotypes(record) == ["0/1", "0/1", "0/1", "0/0"]
    assert (record.qual or 0) > 20
    assert list(record.filter) == ["LowQual"]
    assert list(joint[401, "ACG"].filter) == ["PASS"]


def test_an_allele_that_could_not_pass_by_itself_is_left_out(
    joint: dict[tuple[int, str], pysam.VariantRecord],
) -> None:
    snps, indels = joint[1101, "A"], joint[1401, "ACG"]
    assert (snps.alts, indels.alts) == (("C",), ("A",))
    assert genotypes(snps) == genotypes(indels) == ["0/1", "0/0", "0/0", "0/0"]
    assert [record.info["AC"] for record in (snps, indels)] == [(1,), (1,)]
    assert [call["PL"] for call in snps.samples.values()][1:3] == [(0, 218, 243), (0, 215, 240)]


def test_a_site_needs_evidence_of_samples_together(joint: dict[tuple[int, str], pysam.VariantRecord]) -> None:
    assert genotypes(joint[1201, "A"]) == ["0/1", "0/1", "0/1", "0/0"]  # 36, of 29.8
    assert (1301, "A") not in joint


def test_an_indel_that_nearly_all_reads_show_is_homozygous(joint: dict[tuple[int, str], pysam.VariantRecord]) -> None:
    assert genotypes(joint[901, "ACG"]) == ["1/1", "0/0", "0/0", "0/0"]


def test_an_indel_of_few_reads_is_evidence_of_an_allele_that_another_sample_has_and_adds_none(
    joint: dict[tuple[int, str], pysam.VariantRecord],
) -> None:
    assert genotypes(joint[1501, "ACG"]) == ["0/1", "0/0", "0/0", "0/1"]
    assert joint[1601, "ACG"].alts == ("A",)
    assert genotypes(joint[1601, "ACG"])[:3] == ["0/1", "0/0", "0/0"]
    assert not {pos for pos, _ in joint} & {1701}


def test_a_deletion_that_spans_a_variant_is_an_allele_of_it(
    joint: dict[tuple[int, str], pysam.VariantRecord],
) -> None:
    assert genotypes(joint[401, "ACG"]) == ["0/1", "0/0", "0/0", "1/1"]
    record = joint[403, "G"]
    assert record.alts == ("T", "*")
    assert genotypes(record) == ["0/2", "0/1", "0/0", "2/2"]
    assert (record.info["AC"], record.info["AN"]) == ((1, 3), 8)
    for call in record.samples.values():
        alleles = [one or 0 for one in call["GT"]]
        assert call["PL"][max(alleles) * (max(alleles) + 1) // 2 + min(alleles)] == 0
        assert len(call["AD"]) == 3
    assert [call["AD"][0] for call in record.samples.values()] == [20, 10, 20, 0]


def test_a_sample_keeps_the_likelihoods_of_its_own_record(
    joint: dict[tuple[int, str], pysam.VariantRecord],
) -> None:
    calls = joint[601, "A"].samples
    assert (calls["P"]["PL"], calls["Q"]["PL"]) == ((200, 0, 200), (0, 10, 100))


def test_the_least_likelihood_is_0_and_bases_are_in_upper_case(
    joint: dict[tuple[int, str], pysam.VariantRecord],
) -> None:
    bases = {(pos, "A") for pos in (101, 201, 301, 601, 701, 1101, 1201)} | {(403, "G"), (603, "G")}
    assert set(joint) == bases | {(pos, "ACG") for pos in (401, 801, 901, 1401, 1501, 1601)}
    for record in joint.values():
        assert all(min(call["PL"]) == 0 for call in record.samples.values())
        assert all(allele == allele.upper() for allele in record.alleles or ())
        assert set(record.info) <= {"DP", "AC", "AN", "AF", "MQ", "INDEL"}


def test_intervals_and_batches_change_no_record(
    cohort: Path, joint: dict[tuple[int, str], pysam.VariantRecord], tmp_path: Path
) -> None:
    whole = list(map(str, joint.values()))
    borders = ["c1:1-402", "c1:403-500", "c1:501-3000"]  # within a deletion
    assert list(map(str, genotype(cohort, tmp_path / "a", *borders))) == whole
    assert list(map(str, genotype(cohort, tmp_path / "b", batch_size=3))) == whole
