"""The pipeline germline-lowpass: simulated samples of 3x with a panel of people who share their haplotypes."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pysam
import pytest

from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import shipped_steps

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
JOINT = "variant_calling/joint/joint_germline.vcf.gz"
PEOPLE = 40
PIECE_BP = 10_000  # of a haplotype of the panel, which is a copy of one of a sample
Genotypes = dict[tuple[str, int, str, str], tuple[int, ...]]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulate two samples of 3x, and a panel of mosaics of their haplotypes; return the folder."""
    from genomics_pipeline.simulation.cohort import simulate

    folder = tmp_path_factory.mktemp("lowpass") / "cohort"
    simulate(folder, samples=2, length_bp=60_000, depth=3, seed=3)
    write_panel(folder / "truth.vcf.gz", folder / "panel.vcf.gz")
    return folder


def write_panel(truth: Path, panel: Path) -> None:
    """Write a panel of the sites of the truth. Its first person is sample1, who must be left out."""
    names = ["sample1", *(f"P{number}" for number in range(PEOPLE))]
    random = Random(1)
    pieces: dict[tuple[str, int], list[int]] = {}
    with pysam.VariantFile(str(truth)) as vcf:
        lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={name}>" for name in vcf.header.contigs)]
        lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
        lines.append("\t".join(["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT", *names]))
        for record in vcf:
            own = [allele or 0 for sample in record.samples.values() for allele in sample["GT"]]
            place = (record.chrom, record.pos // PIECE_BP)
            chosen = pieces.setdefault(place, [random.randrange(4) for _ in range(2 * PEOPLE)])
            alleles = [*own[:2], *(own[piece] for piece in chosen)]
            genotypes = [f"{alleles[n]}|{alleles[n + 1]}" for n in range(0, len(alleles), 2)]
            fixed = [record.chrom, str(record.pos), ".", record.ref or "", ",".join(record.alts or ()), ".", ".", "."]
            lines.append("\t".join([*fixed, "GT", *genotypes]))
    with pysam.BGZFile(str(panel), "wb", index=None) as out:
        out.write(("\n".join(lines) + "\n").encode())
    pysam.tabix_index(str(panel), preset="vcf", force=True)


def carried(vcf: Path, sample: str) -> Genotypes:
    """Return the copies of the alleles that a sample carries, by contig, position, REF and ALT."""

    def found() -> Iterator[tuple[tuple[str, int, str, str], tuple[int, ...]]]:
        with pysam.VariantFile(str(vcf)) as file:
            for record in file:
                genotype = record.samples[sample]["GT"]
                if "PASS" in record.filter.keys() or not record.filter.keys():  # noqa: SIM118
                    for number, alt in enumerate(record.alts or (), 1):
                        if number in genotype:
                            key = (record.chrom, record.pos, record.ref or "", alt)
                            yield key, (sum(allele == number for allele in genotype),)

    return dict(found())


def records(vcf: Path) -> list[str]:
    with pysam.VariantFile(str(vcf)) as file:
        return [str(record) for record in file]


def right(calls: Path, truth: Path) -> int:
    """Return how many alleles of the samples are called with as many copies as they have, less those that are not."""
    count = 0
    for sample in ("sample1", "sample2"):
        found, known = carried(calls, sample), carried(truth, sample)
        count += sum(1 if known.get(key) == copies else -1 for key, copies in found.items())
    return count


def run(cli: Cli, cohort: Path, out: Path, *options: object) -> Ended:
    return cli("run", cohort / "cohort.csv", "--reference", cohort / "reference.fa", "--out", out, *options)


def test_imputation_finds_what_calling_alone_does_not(cohort: Path, tmp_path: Path, cli: Cli) -> None:
    panel = f"imputation.panel={cohort / 'panel.vcf.gz'}"
    ended = run(cli, cohort, tmp_path / "run", "--pipeline", "germline-lowpass", "--param", panel, "--json")
    assert ended.code == 0, ended.err
    summary = json.loads(ended.out)
    assert [row["state"] for row in summary["samples"]] == ["SUCCEEDED", "SUCCEEDED"]
    depths = [row["verdicts"]["alignment"]["mean_depth"] for row in summary["samples"]]
    assert "bad" not in depths  # as they are in germline
    joint = Path(summary["cohort"]["files"]["gather.vcf"])
    assert run(cli, cohort, tmp_path / "plain").code == 0
    plain = tmp_path / "plain/results/variant_calling/joint/joint_germline.vcf.gz"
    truth = cohort / "truth.vcf.gz"
    total = sum(len(carried(truth, sample)) for sample in ("sample1", "sample2"))
    assert right(joint, truth) > 0.85 * total > 0.6 * total > right(plain, truth)
    with pysam.VariantFile(str(joint)) as vcf:
        records = [record for record in vcf if "IMP" in record.info]
    assert all(sample.phased for record in records for sample in record.samples.values())
    (log,) = (tmp_path / "run/steps/imputation").glob("*/log.txt")
    assert "left out 1 people who are samples of the cohort: sample1\n" in log.read_text()
    (counts,) = (tmp_path / "run/results/reports/imputation").glob("*.json")
    assert json.loads(counts.read_text())["panel_haplotypes"] == 2 * PEOPLE


@pytest.mark.parametrize("stack", [("germline-lowpass",)], indirect=True)
def test_the_run_on_aws_is_that_of_here(
    stack: Deployed, step_functions: FakeAws, cohort: Path, tmp_path: Path, cli: Cli
) -> None:
    step_functions.batch.run_job = shipped_steps(tmp_path / "scratch")
    for file in [*cohort.glob("**/*.fastq.gz"), cohort / "panel.vcf.gz", cohort / "panel.vcf.gz.tbi"]:
        stack.put(f"given/{file.relative_to(cohort)}", file.read_bytes())
    uri = f"s3://{stack.bucket}/given/"
    sheet = tmp_path / "cohort.csv"
    sheet.write_text(re.sub(r"(?<=,)(?=[^,]+\.fastq\.gz)", uri, (cohort / "cohort.csv").read_text()))
    given = ("--reference", cohort / "reference.fa", "--pipeline", "germline-lowpass", "--json")
    submitted = cli("submit", sheet, *given, "--param", f"imputation.panel={uri}panel.vcf.gz")
    assert submitted.code == 0, submitted.err
    name = json.loads(submitted.out)["run"]
    step_functions.execution(name).wait()
    assert cli("results", name, "--download", tmp_path / "aws/results").code == 0
    panel = f"imputation.panel={cohort / 'panel.vcf.gz'}"
    assert run(cli, cohort, tmp_path / "here", "--pipeline", "germline-lowpass", "--param", panel).code == 0
    assert records(tmp_path / "aws/results" / JOINT) == records(tmp_path / "here/results" / JOINT)


def test_the_panel_is_required(cohort: Path, tmp_path: Path, cli: Cli) -> None:
    ended = run(cli, cohort, tmp_path / "run", "--pipeline", "germline-lowpass")
    message = "--param imputation.panel=FILE: expected a value, found none; it is required: Reference panel"
    assert (ended.code, message in ended.err) == (2, True)
    assert not (tmp_path / "run").exists()


def test_a_bad_panel_is_refused_before_the_first_job(cohort: Path, tmp_path: Path, cli: Cli) -> None:
    def refused(panel: Path, *more: str) -> str:
        options = ("--pipeline", "germline-lowpass", "--param", f"imputation.panel={panel}", *more)
        ended = run(cli, cohort, tmp_path / "run", *options)
        assert ended.code == 1
        assert not list((tmp_path / "run").glob("steps/*"))
        return ended.err.replace(f"{tmp_path}/", "")

    plain = tmp_path / "plain.vcf"
    plain.write_bytes(gzip.decompress((cohort / "panel.vcf.gz").read_bytes()))
    assert "plain.vcf: expected its index beside it (plain.vcf.tbi or plain.vcf.csi), found none; sort" in refused(
        plain
    )
    text = plain.read_text().replace("0|0", "0/0")
    bad = tmp_path / "bad.vcf.gz"
    with pysam.BGZFile(str(bad), "wb", index=None) as out:
        out.write(text.encode())
    pysam.tabix_index(str(bad), preset="vcf", force=True)
    assert "expected phased genotypes without missing alleles, such as 0|1, found 0/0 of" in refused(bad)
    (tmp_path / "names").write_text("P1\nP100\n")
    good = cohort / "panel.vcf.gz"
    found = refused(good, "--param", f"imputation.exclude_panel_samples={tmp_path / 'names'}")
    expected = "expected the name of a person of the panel, found 'P100'; did you mean 'P10'?"
    assert f"error: names:2: parameter imputation.exclude_panel_samples: {expected}\n" in found
