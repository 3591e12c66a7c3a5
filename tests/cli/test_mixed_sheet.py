"""Sheets with files of all kinds: each sample starts where its input stands, here and on AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pysam
import pytest

from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import shipped_steps

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
JOINT = "results/variant_calling/joint/joint_germline.vcf.gz"
COLUMNS = ("sample", "lane", "fastq_1", "fastq_2", "bam", "cram", "gvcf")


@pytest.fixture
def of_fastq(tmp_path: Path, cli: Cli) -> Path:
    """Run five samples from their FASTQ files, and return the folder of the cohort; the run is in ``run``."""
    cohort = tmp_path / "cohort"
    assert cli("simulate", "--out", cohort, "--samples", "5", "--length", "8000", "--depth", "12").code == 0
    ended = cli("run", cohort / "cohort.csv", "--reference", cohort / "reference.fa", "--out", cohort / "run")
    assert ended.code == 0, ended.err
    return cohort


def mixed_rows(cohort: Path) -> list[dict[str, str]]:
    """Write a uBAM and a CRAM file, and return rows of five samples: two of FASTQ, uBAM, CRAM and gVCF."""
    lines = [line.split(",") for line in (cohort / "cohort.csv").read_text().splitlines()]
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:] if line[3] in ("sample1", "sample2")]
    results = cohort / "run/results"

    def bam(sample: str) -> str:
        return str(results / f"preprocessing/{sample}/{sample}.md.bam")

    pysam.samtools.reset("-o", str(cohort / "u.bam"), "--no-PG", bam("sample3"), catch_stdout=False)
    options = ["-C", "-T", str(cohort / "reference.fa"), "-o", str(cohort / "a.cram")]
    pysam.samtools.view(*options, bam("sample4"), catch_stdout=False)
    return [
        *rows,
        {"sample": "sample3", "bam": "u.bam"},
        {"sample": "sample4", "cram": "a.cram"},
        {"sample": "sample5", "gvcf": "run/results/variant_calling/sample5/sample5.g.vcf.gz"},
    ]


def write_sheet(sheet: Path, rows: Iterable[dict[str, str]]) -> Path:
    lines = [",".join(COLUMNS), *(",".join(row.get(column, "") for column in COLUMNS) for row in rows)]
    sheet.write_text("\n".join(lines) + "\n")
    return sheet


def variants(vcf: Path) -> tuple[list[str], list[str]]:
    """Return the samples of a joint VCF, and its records."""
    with pysam.VariantFile(str(vcf)) as file:
        return list(file.header.samples), [str(record) for record in file]


def test_a_mixed_sheet_on_aws_gives_the_joint_vcf_of_its_fastq_files(
    stack: Deployed, step_functions: FakeAws, tmp_path: Path, cli: Cli, of_fastq: Path
) -> None:
    step_functions.batch.run_job = shipped_steps(tmp_path / "scratch")
    rows = mixed_rows(of_fastq)
    for row in rows:
        for column in row.keys() & set(COLUMNS[2:]):
            if row[column]:
                file = of_fastq / row[column]
                row[column] = stack.put(f"given/{row['sample']}/{file.name}", file.read_bytes())
                if column == "gvcf":
                    stack.put(f"given/{row['sample']}/{file.name}.tbi", Path(f"{file}.tbi").read_bytes())
    sheet = write_sheet(tmp_path / "mixed.csv", rows)

    submitted = cli("submit", sheet, "--reference", of_fastq / "reference.fa", "--json")
    assert submitted.code == 0, submitted.err
    run = json.loads(submitted.out)["run"]
    step_functions.execution(run).wait()

    assert json.loads(cli("status", run, "--json").out)["status"] == "SUCCEEDED"
    assert cli("results", run, "--download", tmp_path / "results").code == 0
    names, records = variants(tmp_path / JOINT)
    assert names == [f"sample{number}" for number in range(1, 6)]
    assert (names, records) == variants(of_fastq / "run" / JOINT)
    assert records


def test_a_sample_is_added_to_the_samples_of_an_earlier_run(of_fastq: Path, cli: Cli) -> None:
    lines = (of_fastq / "cohort.csv").read_text().splitlines()
    (of_fastq / "new.csv").write_text("\n".join([lines[0], lines[-1].replace("sample5,", "new,")]) + "\n")
    run = ("run", of_fastq / "new.csv", "--reference", of_fastq / "reference.fa", "--joint-with", of_fastq / "run")
    ended = cli(*run, "--out", of_fastq / "six", "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["steps"]["run"] == 4
    samples, records = variants(of_fastq / "six" / JOINT)
    assert samples == ["new", *(f"sample{number}" for number in range(1, 6))]
    assert all(record.split("\t")[9] == record.rstrip().split("\t")[14] for record in records)  # of the same reads

    again = cli(*run, "--joint-with", of_fastq / "six", "--out", of_fastq / "twice")
    assert again.code == 1
    assert (
        "error: --joint-with: expected samples of earlier runs beside those of the sheet, found new twice" in again.err
    )
    none = cli(*run[:-1], of_fastq, "--out", of_fastq / "none")
    assert (none.code, "expected a run's folder" in none.err) == (1, True)


def test_a_given_gvcf_is_joined_here_and_a_changed_one_again(of_fastq: Path, cli: Cli) -> None:
    gvcfs = of_fastq / "run/results/variant_calling"
    rows = [{"sample": name, "gvcf": str(gvcfs / name / f"{name}.g.vcf.gz")} for name in ("sample1", "sample2")]
    run = ("run", of_fastq / "two.csv", "--reference", of_fastq / "reference.fa", "--out", of_fastq / "two", "--json")

    def joined() -> tuple[int, list[str]]:
        write_sheet(of_fastq / "two.csv", rows)
        ended = cli(*run)
        assert ended.code == 0, ended.err
        return json.loads(ended.out)["steps"]["run"], variants(of_fastq / "two" / JOINT)[0]

    assert joined() == (2, ["sample1", "sample2"])
    assert joined() == (0, ["sample1", "sample2"])
    rows.append({"sample": "sample3", "gvcf": str(gvcfs / "sample3/sample3.g.vcf.gz")})
    assert joined() == (2, ["sample1", "sample2", "sample3"])
