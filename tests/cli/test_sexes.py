"""Cohorts with sex chromosomes, from reads to joint genotypes: known, unknown and contradicting sexes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pysam
import pytest

from genomics_pipeline.cli.main import main
from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import shipped_steps

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
JOINT = "results/variant_calling/joint/joint_germline.vcf.gz"
PSEUDOAUTOSOMAL_BP = 1600
# In turn XX and XY: sample 3 and 4 are not in the sheet, and 5 is wrong.
SHEET = {"sample1": "XX", "sample2": "XY", "sample3": "NA", "sample4": "NA", "sample5": "XY"}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulate a cohort and run it into ``run``; return its folder."""
    folder = tmp_path_factory.mktemp("sexes") / "cohort"
    call("simulate", "--out", folder, "--sexes", "--samples", "5", "--length", "80000", "--depth", "20", "--seed", "3")
    header, *rows = (folder / "cohort.csv").read_text().splitlines()
    lines = [row.split(",", 2) for row in rows]
    (folder / "sheet.csv").write_text("\n".join([header, *(f"{name},{SHEET[name]},{rest}" for name, _, rest in lines)]))
    ploidy = f"variant_calling.ploidy_file={folder / 'ploidy.txt'}"
    reference = ("--reference", folder / "reference.fa", "--param", ploidy)
    call("run", folder / "sheet.csv", *reference, "--out", folder / "run", "--truth", folder / "truth.vcf.gz")
    return folder


def call(*arguments: str | Path) -> None:
    with pytest.raises(SystemExit) as end:
        main(list(map(str, arguments)))
    assert not end.value.code


def summary(cohort: Path) -> Any:
    return json.loads((cohort / "run/run.json").read_text())["summary"]


def genotypes(vcf: Path) -> dict[tuple[str, str], set[str]]:
    """Return the genotypes by region and sample."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    with pysam.VariantFile(str(vcf)) as records:
        for record in records:
            region = "PAR" if record.chrom == "chrX" and record.pos <= PSEUDOAUTOSOMAL_BP else record.chrom
            for sample, one in record.samples.items():
                alleles = "/".join("." if allele is None else str(allele) for allele in one["GT"])
                found[region, str(sample)].add(alleles)
    return dict(found)


def test_ploidy_follows_from_sex_contig_and_region(cohort: Path) -> None:
    found = genotypes(cohort / "run" / JOINT)
    for sample, sex in {"sample1": "XX", "sample2": "XY", "sample3": "XX", "sample4": "XY"}.items():
        assert found["chrM", sample] <= {"0", "1"}
        assert found["chr1", sample] | found["PAR", sample] <= {"0/0", "0/1", "1/1"}
        assert found["chrX", sample] <= ({"0/0", "0/1", "1/1"} if sex == "XX" else {"0", "1"})
        assert found["chrY", sample] <= ({"."} if sex == "XX" else {"0", "1"})
    assert "0/1" in found["chrX", "sample1"] | found["chrX", "sample3"]
    assert "1" in found["chrX", "sample2"] & found["chrX", "sample4"]


def test_genotypes_of_all_right_sexes_are_those_that_were_simulated(cohort: Path) -> None:
    true, found = {}, {}
    with pysam.VariantFile(str(cohort / "truth.vcf.gz")) as truth:
        for record in truth:
            true[record.chrom, record.pos] = [sorted(map(str, one["GT"])) for one in record.samples.values()][:4]
    with pysam.VariantFile(str(cohort / "run" / JOINT)) as joint:
        for record in joint:
            found[record.chrom, record.pos] = [sorted(map(str, one["GT"])) for one in record.samples.values()][:4]
    common = true.keys() & found.keys()
    assert len(common) >= 0.95 * len(true)
    wrong = [place for place in common if true[place] != found[place]]
    assert len(wrong) <= 0.02 * len(common)


def test_the_sex_is_the_sheets_or_else_that_of_the_reads(cohort: Path) -> None:
    decided = {
        one["sample"]: (
            one["metrics"]["variant_calling"]["called_sex"],
            one["metrics"]["variant_calling"]["called_sex_from"],
        )
        for one in summary(cohort)["samples"]
    }
    assert decided == {
        "sample1": ("XX", "sheet"),
        "sample2": ("XY", "sheet"),
        "sample3": ("XX", "reads"),
        "sample4": ("XY", "reads"),
        "sample5": ("XY", "sheet"),
    }


def test_a_contradiction_is_bad_below_the_table_in_status_and_in_json(cohort: Path, cli: Cli) -> None:
    again = ("run", cohort / "sheet.csv", "--reference", cohort / "reference.fa", "--out", cohort / "run")
    table = cli(*again, "--param", f"variant_calling.ploidy_file={cohort / 'ploidy.txt'}").out
    assert "sample5, Sex: bad: expected XY as in the sample sheet, found XX: depths of X and Y are " in table
    reason = "sample5 is XY in the sample sheet, and XX by the depths of X and Y"
    assert f"cohort, Sex conflicts: bad: {reason}\n" in table
    assert f"gather, sex conflicts: bad: {reason}\n" in cli("status", cohort / "run").out
    checks = json.loads(cli("status", cohort / "run", "--json").out)["checks"]
    assert checks == [{"stage": "gather", "metric": "sex_conflicts", "verdict": "bad", "reason": reason}]
    (sample5,) = [one for one in summary(cohort)["samples"] if one["sample"] == "sample5"]
    assert sample5["verdicts"]["alignment"]["sex"] == "bad"
    assert genotypes(cohort / "run" / JOINT)["chrX", "sample5"] <= {"0", "1"}  # the sheet decides


def test_no_genotype_of_y_is_missing_of_xx(cohort: Path) -> None:
    metrics = summary(cohort)["cohort"]["metrics"]["gather"]["samples"]
    assert [metrics[sample]["missing"] for sample in ("sample1", "sample3")] == [0, 0]


@pytest.mark.parametrize(("sex", "copies"), [("XX", 2), ("XY", 1)])
def test_a_step_alone_takes_the_sex_as_an_option(cohort: Path, tmp_path: Path, cli: Cli, sex: str, copies: int) -> None:
    (alignment,) = (cohort / "run/results/preprocessing/sample1").glob("*.bam")
    options = ("--reference", cohort / "reference.fa", "--param", f"ploidy_file={cohort / 'ploidy.txt'}")
    ended = cli("step", "variant_calling", alignment, *options, "--sample", "sample1", "--sex", sex, "--out", tmp_path)
    assert ended.code == 0, ended.err
    (gvcf,) = tmp_path.glob("**/sample1.g.vcf.gz")
    with pysam.VariantFile(str(gvcf)) as records:
        found = {len(one.samples[0]["GT"]) for one in records.fetch("chrX", PSEUDOAUTOSOMAL_BP + 1)}
    assert found == {copies}


def test_a_step_alone_takes_the_sex_from_the_metrics_of_alignment(cohort: Path, tmp_path: Path, cli: Cli) -> None:
    (alignment,) = (cohort / "run/results/preprocessing/sample2").glob("*.bam")
    quality = cohort / "run/results/reports/alignment/sample2.alignment.json"
    inputs = ("--input", f"alignment={alignment}", "--input", f"quality={quality}")
    options = ("--reference", cohort / "reference.fa", "--param", f"ploidy_file={cohort / 'ploidy.txt'}")
    ended = cli("step", "variant_calling", *inputs, *options, "--sample", "sample2", "--out", tmp_path, "--json")
    assert ended.code == 0, ended.err
    metrics = json.loads(ended.out)["metrics"]
    assert (metrics["called_sex"], metrics["called_sex_from"]) == ("XY", "reads")


def test_sex_chromosomes_of_no_known_assembly_are_named_once_before_the_first_job(
    cohort: Path, tmp_path: Path, cli: Cli
) -> None:
    run = ("run", cohort / "sheet.csv", "--reference", cohort / "reference.fa", "--out", tmp_path / "run", "--dry-run")
    warning = "warning: variant_calling: expected sex chromosomes of a known assembly, found chrX of 16,000 bp, "
    warning += "chrY of 8,000 bp: all contigs are called as of two copies; name others with "
    warning += "--param variant_calling.ploidy_file=FILE\n"
    assert cli(*run).err.count(warning) == 1
    assert "known assembly" not in cli(*run, "--param", f"variant_calling.ploidy_file={cohort / 'ploidy.txt'}").err
    assert "known assembly" not in cli(*run, "--param", "variant_calling.ploidy=2").err


def test_sexes_on_aws_are_those_of_here_and_status_says_the_contradiction(
    stack: Deployed, step_functions: FakeAws, cohort: Path, tmp_path: Path, cli: Cli
) -> None:
    step_functions.batch.run_job = shipped_steps(tmp_path / "scratch")
    header, *lines = [line.split(",") for line in (cohort / "sheet.csv").read_text().splitlines()]
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    rows = [row for row in rows if row["sample"] in ("sample4", "sample5")]
    for row in rows:
        row |= {name: stack.put(f"reads/{row[name]}", (cohort / row[name]).read_bytes()) for name in header[-2:]}
    sheet = tmp_path / "cohort.csv"
    sheet.write_text("\n".join([",".join(header), *(",".join(row.values()) for row in rows)]) + "\n")
    ploidy = stack.put("ploidy.txt", (cohort / "ploidy.txt").read_bytes())
    options = ("--reference", cohort / "reference.fa", "--param", f"variant_calling.ploidy_file={ploidy}", "--json")
    ended = cli("submit", sheet, *options)
    assert ended.code == 0, ended.err
    run = json.loads(ended.out)["run"]
    step_functions.execution(run).wait()
    (check,) = json.loads(cli("status", run, "--json").out)["checks"]
    reason = "sample5 is XY in the sample sheet, and XX by the depths of X and Y"
    assert check == {"stage": "gather", "metric": "sex_conflicts", "verdict": "bad", "reason": reason}
    assert f"gather, sex conflicts: bad: {reason}\n" in cli("status", run).out
    assert cli("results", run, "--download", tmp_path / "run/results").code == 0
    found = genotypes(tmp_path / "run" / JOINT)
    assert found["chrX", "sample4"] | found["chrX", "sample5"] <= {"0", "1"}
    (metrics,) = (tmp_path / "run/results").glob("reports/variant_calling/sample4.variants.json")
    assert json.loads(metrics.read_text())["called_sex_from"] == "reads"
