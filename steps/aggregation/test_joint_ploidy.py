"""Joint genotypes of samples of different ploidies, by the step's program, from gVCFs with known likelihoods."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_aggregation import HEADER, index, run_step
from test_joint_genotypes import BASES, HET, HOM, Given, deletion, genotypes, line, snp

BORDER = 1500  # c1 stands for X: of XY, the bases to here have one copy


def haploid(text: str) -> str:
    """Return a line of a gVCF with the likelihoods of one copy."""
    *columns, keys, values = text.split("\t")
    phred, rest = values.split(":", 1)
    numbers = [int(value) for value in phred.split(",")]
    kept = [numbers[0], numbers[2], *numbers[5:6]]
    return "\t".join([*columns, keys, f"{','.join(str(one - min(kept)) for one in kept)}:{rest}"])


def write_gvcf(folder: Path, sample: str, given: list[Given], header: str, copies: int = 2) -> str:
    """Write a gVCF of 20 reads of the reference, whose likelihoods to BORDER are of a number of copies."""
    lines: list[str] = []
    position = 1
    for one in [*given, Given(3001, 3001, "")]:
        for start, end in ((position, min(one.start - 1, BORDER)), (max(position, BORDER + 1), one.start - 1)):
            if start <= end:
                lines += [line(Given(start, end))]
        lines += [line(one)] if one.alt != "" else []
        position = one.end + 1
    of_copies = [
        text if copies == 2 or int(text.split("\t")[1]) > BORDER else haploid(text) if copies else "" for text in lines
    ]
    path = folder / f"{sample}.g.vcf.gz"
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write("".join([HEADER.replace("#CHROM", f"{header}#CHROM"), sample, "\n", *of_copies]).encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return str(path)


def ploidy_line(text: str) -> str:
    return f"##genomics_pipeline_ploidy={text}\n"


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write gVCFs of XX, of XY, of a sample without any copy, and of an earlier version that has no header line."""
    folder = tmp_path_factory.mktemp("cohort")
    (folder / "reference.fa").write_text(f">c1\n{BASES}\n")
    index(folder / "reference.fa")
    write_gvcf(folder, "XX", [snp(101, "C", HET), snp(301, "C", HET), snp(2001, "C", HET)], ploidy_line("2"))
    man = [snp(101, "C", HOM), snp(201, "G", HOM), snp(2001, "C", HET)]
    write_gvcf(folder, "XY", man, ploidy_line(f"2,c1:1-{BORDER}=1"), copies=1)
    write_gvcf(folder, "NONE", [snp(2001, "C", HET)], ploidy_line(f"2,c1:1-{BORDER}=0"), copies=0)
    write_gvcf(folder, "OLD", [snp(101, "C", HOM), snp(401, "T", HOM)], "", copies=1)
    return folder


def joint(
    cohort: Path, folder: Path, samples: list[str], interval: str = "c1:1-3000", **parameters: Any
) -> dict[int, pysam.VariantRecord]:
    """Run the step and return the records by position."""
    gvcfs = [str(cohort / f"{sample}.g.vcf.gz") for sample in samples]
    process = run_step(folder, cohort / "reference.fa", gvcfs, [interval], **parameters)
    assert process.returncode == 0, process.stderr
    with pysam.VariantFile(str(folder / "joint.vcf.gz")) as vcf:
        return {record.pos: record.copy() for record in vcf}


def likelihoods(record: pysam.VariantRecord) -> list[int]:
    return [len([one for one in call["PL"] if one is not None]) for call in record.samples.values()]


def test_each_sample_of_a_record_has_the_genotype_of_its_copies(cohort: Path, tmp_path: Path) -> None:
    records = joint(cohort, tmp_path / "a", ["XX", "XY", "NONE", "OLD"])
    assert {pos: genotypes(record) for pos, record in records.items()} == {
        101: ["0/1", "1", ".", "1"],
        201: ["0/0", "1", ".", "0"],
        301: ["0/1", "0", ".", "0"],
        401: ["0/0", "0", ".", "1"],
        2001: ["0/1", "0/1", "0/1", "0/0"],
    }
    assert {pos: likelihoods(record) for pos, record in records.items()} == {
        **{pos: [3, 2, 0, 2] for pos in (101, 201, 301, 401)},
        2001: [3, 3, 3, 3],
    }
    counts = {pos: (record.info["AC"], record.info["AN"], record.info["AF"]) for pos, record in records.items()}
    assert counts[101] == ((3,), 4, (0.75,))
    assert counts[201] == ((1,), 4, (0.25,))
    assert counts[2001] == ((3,), 8, (0.375,))
    assert [call["PL"] for call in records[101].samples.values()][:2] == [(200, 0, 200), (200, 0)]


def test_a_deletion_spans_a_variant_of_samples_of_any_ploidy(cohort: Path, tmp_path: Path) -> None:
    one = write_gvcf(tmp_path, "DEL", [deletion(501, 3, HET)], ploidy_line("2"))
    two = write_gvcf(tmp_path, "SNP", [snp(503, "A", HOM)], ploidy_line(f"2,c1:1-{BORDER}=1"), copies=1)
    three = write_gvcf(tmp_path, "DEL1", [deletion(501, 3, HOM)], ploidy_line(f"2,c1:1-{BORDER}=1"), copies=1)
    gvcfs = [one, two, three, str(cohort / "NONE.g.vcf.gz")]
    process = run_step(tmp_path / "a", cohort / "reference.fa", gvcfs, ["c1:1-3000"])
    assert process.returncode == 0, process.stderr
    with pysam.VariantFile(str(tmp_path / "a" / "joint.vcf.gz")) as vcf:
        records = {record.pos: (record.alts, genotypes(record), likelihoods(record)) for record in vcf}
    assert records[501][1:] == (["0/1", "0", "1", "."], [3, 2, 2, 0])
    assert records[503] == (("A", "*"), ["0/2", "1", "2", "."], [6, 3, 3, 0])


def test_more_than_two_alternate_alleles_have_the_genotypes_of_each_samples_copies(
    cohort: Path, tmp_path: Path
) -> None:
    of_xy = ploidy_line(f"2,c1:1-{BORDER}=1")
    one = write_gvcf(tmp_path, "ONE", [snp(701, "C", HET)], ploidy_line("2"))
    two = write_gvcf(tmp_path, "TWO", [snp(701, "G", HOM)], of_xy, copies=1)
    three = write_gvcf(tmp_path, "THREE", [snp(701, "T", HOM)], of_xy, copies=1)
    gvcfs = [one, two, three, str(cohort / "NONE.g.vcf.gz")]
    process = run_step(tmp_path / "a", cohort / "reference.fa", gvcfs, ["c1:1-1000"])
    assert process.returncode == 0, process.stderr
    with pysam.VariantFile(str(tmp_path / "a" / "joint.vcf.gz")) as vcf:
        (record,) = list(vcf)
        found = (record.pos, record.alts, genotypes(record), record.info["AC"], record.info["AN"])
    assert found == (701, ("C", "G", "T"), ["0/1", "2", "3", "."], (1, 1, 1), 4)


def test_intervals_and_batches_change_no_genotype(cohort: Path, tmp_path: Path) -> None:
    samples = ["XX", "XY", "NONE", "OLD"]
    whole = list(map(str, joint(cohort, tmp_path / "a", samples).values()))
    borders = [f"c1:1-{BORDER - 1000}", f"c1:{BORDER - 999}-{BORDER}", f"c1:{BORDER + 1}-3000"]
    parts = [joint(cohort, tmp_path / f"b{number}", samples, interval) for number, interval in enumerate(borders)]
    assert [str(record) for part in parts for record in part.values()] == whole
    assert list(map(str, joint(cohort, tmp_path / "c", samples, batch_size=3).values())) == whole


def test_the_parameter_ploidy_overrides_the_gvcfs(cohort: Path, tmp_path: Path) -> None:
    records = joint(cohort, tmp_path / "a", ["XX", "XY"], ploidy=2)
    assert genotypes(records[101]) == ["0/1", "1/1"]
    records = joint(cohort, tmp_path / "b", ["XX", "XY"], ploidy=1)
    assert genotypes(records[101])[1] == "1"
    assert likelihoods(records[101]) == [2, 2]


def test_a_header_line_that_says_no_ploidy_is_refused(cohort: Path, tmp_path: Path) -> None:
    path = write_gvcf(tmp_path, "BAD", [snp(101, "C", HET)], ploidy_line("two"))
    process = run_step(tmp_path / "a", cohort / "reference.fa", [path], ["c1:1-3000"])
    expected = f"error: {path}: expected a ploidy in ##genomics_pipeline_ploidy, found 'two'\n"
    assert (process.returncode, process.stderr) == (65, expected)
