"""Ploidy by sex, contig and region: genotypes and likelihoods of a sample in its variants and its gVCF."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pysam
import pysam.bcftools
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from calling_units import Span, with_copies
from common.ploidy import Ploidy, Stretch
from test_variant_calling import SNPS, Dataset, call, index, make_dataset, planted_variants, run_step, write_bam

# c1 stands for X, of which bases 901 to 1500 are pseudoautosomal; c2 for Y
PLOIDY = """# CHROM FROM TO SEX PLOIDY
c1 1 900 M 1
c1 1501 4000 M 1
c2\t1\t1500\tM\t1
c2 1 1500 F 0
* * * M 2
* * * F 2
"""
PAR = range(901, 1501)
HAPLOID_SNPS = {("c1", pos + 1) for pos in SNPS["c1"] if pos + 1 not in PAR} | {("c2", 701)}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("dataset"))


def of_sex(sex: str, folder: Path, **more: Any) -> dict[str, Any]:
    """Return arguments of `call` for a sample of a sex."""
    file = folder / "ploidy.txt"
    file.write_text(PLOIDY)
    return {"item": {"sex": sex}, "ploidy": None, "ploidy_file": str(file), **more}


def metrics(folder: Path) -> Any:
    return json.loads((folder / "S.json").read_text())


def test_genotypes_of_xy_are_haploid_outside_of_the_pseudoautosomal_region(data: Dataset, tmp_path: Path) -> None:
    records = {row[:2]: row[4] for row in call(data, tmp_path / "a", **of_sex("XY", tmp_path))}
    assert {place for place, genotype in records.items() if genotype == "0/1"} == {
        ("c1", pos) for pos in (1000, 1001, 1002)
    }
    assert records["c1", 2496] == "1"
    assert {genotype for place, genotype in records.items() if place in HAPLOID_SNPS} <= {"1"}
    found = metrics(tmp_path / "a")
    assert (found["called_sex"], found["called_sex_from"]) == ("XY", "sheet")
    assert found["het_hom"] is None  # three heterozygotes, and none that is homozygous for a variant


def test_xx_has_two_copies_of_x_and_no_genotype_on_y(data: Dataset, tmp_path: Path) -> None:
    records = call(data, tmp_path / "a", **of_sex("XX", tmp_path))
    assert records == [row for row in planted_variants(data) if row[0] == "c1"]
    with pysam.VariantFile(str(tmp_path / "a" / "S.g.vcf.gz")) as gvcf:
        assert {record.chrom for record in gvcf} == {"c1"}
        (line,) = [dict(one) for one in gvcf.header.records if one.key == "SAMPLE"]
    assert line == {"ID": "S", "Patient": "P", "Sex": "XX", "SexFrom": "sheet", "Absent": '"c2:1-1500"'}


def test_contamination_is_estimated_where_there_are_two_copies() -> None:
    ploidy = Ploidy(2, [Stretch("c1", 0, 900, 1), Stretch("c2", 0, 1500, 0)])
    unit = (Span("c1", 0, 1000), Span("c2", 0, 50), Span("c3", 5, 9))
    assert with_copies(unit, ploidy, 2) == (Span("c1", 900, 1000), Span("c3", 5, 9))


def test_the_gvcf_has_likelihoods_of_as_many_copies_and_says_which(data: Dataset, tmp_path: Path) -> None:
    call(data, tmp_path / "a", **of_sex("XY", tmp_path))
    with pysam.VariantFile(str(tmp_path / "a" / "S.g.vcf.gz")) as gvcf:
        (said,) = [one.value for one in gvcf.header.records if one.key == "genomics_pipeline_ploidy"]
        seen = set()
        for record in gvcf:
            found = record.samples["S"]
            copies = 2 if record.chrom == "c1" and record.pos in PAR else 1
            alleles = len(record.alleles or ())
            assert len(found["GT"]) == copies
            assert len(found["PL"]) == (alleles if copies == 1 else alleles * (alleles + 1) // 2)
            assert min(found["PL"]) == 0
            if record.chrom == "c1" and "INDEL" not in record.info:
                assert (record.pos in PAR) == (record.stop in PAR)  # no block is on both sides of a border
            seen.add((record.chrom, copies))
    assert seen == {("c1", 1), ("c1", 2), ("c2", 1)}
    assert said == "2,c1:1-900=1,c1:1501-4000=1,c2:1-1500=1"


def test_bcftools_merges_the_gvcf_with_its_ploidies(data: Dataset, tmp_path: Path) -> None:
    call(data, tmp_path / "a", **of_sex("XY", tmp_path))
    merged = tmp_path / "merged.vcf"
    argv = ["--force-single", "-g", str(data.reference), "-o", str(merged), str(tmp_path / "a" / "S.g.vcf.gz")]
    pysam.bcftools.merge(*argv, catch_stdout=False)
    with pysam.VariantFile(str(merged)) as vcf:
        copies = {
            ("PAR" if record.chrom == "c1" and record.pos in PAR else record.chrom, len(record.samples["S"]["GT"]))
            for record in vcf
        }
    assert copies == {("PAR", 2), ("c1", 1), ("c2", 1)}


def test_the_sex_is_that_of_quality_control_where_the_sheet_has_none(data: Dataset, tmp_path: Path) -> None:
    quality = tmp_path / "quality.json"
    for number, (value, sex) in enumerate([("XY", "XY"), ({"value": "XX", "verdict": "good"}, "XX")]):
        quality.write_text(json.dumps({"sex": value}))
        call(data, tmp_path / str(number), **of_sex("NA", tmp_path, quality=str(quality)))
        found = metrics(tmp_path / str(number))
        assert (found["called_sex"], found["called_sex_from"]) == (sex, "reads")


def test_the_sheet_decides_where_the_reads_contradict(data: Dataset, tmp_path: Path) -> None:
    quality = tmp_path / "quality.json"
    quality.write_text(json.dumps({"sex": {"value": "XX", "verdict": "bad", "reason": "expected XY"}}))
    call(data, tmp_path / "a", **of_sex("XY", tmp_path, quality=str(quality)))
    assert (metrics(tmp_path / "a")["called_sex"], metrics(tmp_path / "a")["called_sex_from"]) == ("XY", "sheet")


def test_unknown_sex_is_diploid_and_said_where_sex_chromosomes_are_called(data: Dataset, tmp_path: Path) -> None:
    unclear = tmp_path / "quality.json"
    unclear.write_text(json.dumps({"sex": {"value": "unclear", "verdict": "warn"}}))
    assert call(data, tmp_path / "a", **of_sex("NA", tmp_path, quality=str(unclear))) == planted_variants(data)
    reason = "expected XX or XY in the sample sheet or from the depths of X and Y, found neither: "
    reason += "c1, c2 called as of two copies"
    assert metrics(tmp_path / "a")["called_sex"] == {"value": "NA", "verdict": "warn", "reason": reason}
    bed = tmp_path / "r.bed"
    bed.write_text("c2\t650\t750\n")
    only_c1 = of_sex("NA", tmp_path, regions=str(bed))
    Path(only_c1["ploidy_file"]).write_text("c1 1 900 M 1\n")
    call(data, tmp_path / "b", **only_c1)
    assert metrics(tmp_path / "b")["called_sex"] is None


@pytest.mark.parametrize(("ploidy", "genotypes"), [(1, {"1"}), (2, {"0/1", "1/1"})])
def test_the_parameter_ploidy_overrides_all(data: Dataset, tmp_path: Path, ploidy: int, genotypes: set[str]) -> None:
    records = call(data, tmp_path / "a", **of_sex("XX", tmp_path) | {"ploidy": ploidy})
    assert {row[4] for row in records} == genotypes
    assert "c2" in {row[0] for row in records} or ploidy == 1


def test_the_mitochondrial_genome_of_a_known_assembly_is_haploid_of_everyone(tmp_path: Path) -> None:
    rng = random.Random(8)
    genome = {"c1": "".join(rng.choices("ACGT", k=1500)), "chrM": "".join(rng.choices("ACGT", k=16569))}
    reference = tmp_path / "reference.fa"
    reference.write_text("".join(f">{name}\n{bases}\n" for name, bases in genome.items()))
    index(reference)
    SNPS["chrM"] = [700, 9000]
    try:
        data = Dataset(tmp_path, reference, write_bam(tmp_path / "S.bam", genome), genome)
    finally:
        del SNPS["chrM"]
    process = run_step(data, tmp_path / "a", item={"sex": "NA"}, ploidy=None)
    assert process.returncode == 0, process.stderr
    with pysam.VariantFile(str(tmp_path / "a" / "S.vcf.gz")) as vcf:
        copies = {record.chrom: len(record.samples["S"]["GT"]) for record in vcf}
    assert copies.get("chrM", 1) == 1
    assert copies["c1"] == 2
    with pysam.VariantFile(str(tmp_path / "a" / "S.g.vcf.gz")) as gvcf:
        assert {(record.chrom, len(record.samples["S"]["GT"])) for record in gvcf} == {("c1", 2), ("chrM", 1)}
