"""The pipelines germline-single and joint: one after the other they are germline, here and on AWS."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pysam
import pytest

from genomics_pipeline.cli.main import main
from genomics_pipeline.runs.aws import disk
from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import payload_of, shipped_steps

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
JOINT = "results/variant_calling/joint/joint_germline.vcf.gz"
SAMPLES = ["sample1", "sample2", "sample3"]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run three samples by germline into ``germline`` and by germline-single into ``single``; return their folder."""
    folder = tmp_path_factory.mktemp("cohort")
    run = ("run", folder / "cohort.csv", "--reference", folder / "reference.fa", "--out")
    for command in (
        ("simulate", "--out", folder, "--samples", "3", "--length", "8000", "--depth", "12"),
        (*run, folder / "germline"),
        (*run, folder / "single", "--pipeline", "germline-single"),
    ):
        with pytest.raises(SystemExit) as end:
            main(list(map(str, command)))
        assert not end.value.code
    return folder


def gvcf(cohort: Path, sample: str) -> Path:
    return cohort / f"single/results/variant_calling/{sample}/{sample}.g.vcf.gz"


def write_sheet(sheet: Path, gvcfs: Iterable[tuple[str, str]]) -> Path:
    sheet.write_text("\n".join(["sample,gvcf", *map(",".join, gvcfs)]) + "\n")
    return sheet


def variants(vcf: Path) -> tuple[list[str], list[str]]:
    """Return the samples of a VCF, and its records."""
    with pysam.VariantFile(str(vcf)) as file:
        return list(file.header.samples), [str(record) for record in file]


def test_single_samples_have_no_joint_files_and_those_of_germline_else(cohort: Path) -> None:
    def files(run: str) -> set[str]:
        results = cohort / run / "results"
        return {str(file.relative_to(results)) for file in results.rglob("*") if file.is_file()}

    assert files("single") == {name for name in files("germline") if "joint" not in name}
    assert variants(cohort / "single/results/variant_calling/sample1/sample1.vcf.gz")[1]


def test_gvcfs_of_a_sheet_or_of_a_run_give_the_joint_vcf_of_germline(cohort: Path, tmp_path: Path, cli: Cli) -> None:
    sheet = write_sheet(tmp_path / "gvcfs.csv", ((name, str(gvcf(cohort, name))) for name in SAMPLES))
    joint = ("run", "--reference", cohort / "reference.fa", "--pipeline", "joint", "--json")
    for name, source in (("sheet", [sheet]), ("run", ["--joint-with", cohort / "single"])):
        ended = cli(*joint, *source, "--out", tmp_path / name)
        assert ended.code == 0, ended.err
        assert json.loads(ended.out)["steps"]["run"] == 2
        assert variants(tmp_path / name / JOINT) == variants(cohort / "germline" / JOINT)
        assert json.loads(cli(*joint, *source, "--out", tmp_path / name).out)["steps"] == {"run": 0, "reused": 2}
    assert cli(*joint, "--joint-with", cohort / "germline", "--out", tmp_path / "packed").code == 0
    assert (tmp_path / "packed" / JOINT).read_bytes() == (tmp_path / "run" / JOINT).read_bytes()
    log = (tmp_path / "packed/steps/aggregation/00000/log.txt").read_text()
    assert "\n3 gVCFs of 3 are packed in earlier runs\n" in log
    shown = cli(*joint[:-1], "--joint-with", cohort / "single", "--out", tmp_path / "run").out
    assert "Sample" not in shown
    assert "Joint VCF" in shown


@pytest.mark.parametrize("end", ["tool_error", "engine_killed"])
def test_a_joint_run_that_failed_or_was_killed_is_rerun_with_the_samples_of_the_earlier_run(
    cohort: Path, tmp_path: Path, cli: Cli, end: str
) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text(f'[[faults]]\nclass = "{end}"\nstage = "gather"\n')
    run = ("run", "--reference", cohort / "reference.fa", "--pipeline", "joint", "--joint-with", cohort / "single")
    options = ("--out", tmp_path / "run", "--inject", faults)
    command = [sys.executable, "-m", "genomics_pipeline", *map(str, (*run, *options))]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode in (1, -signal.SIGKILL), ended.stderr
    again = cli("rerun", tmp_path / "run")
    assert again.code == 0, again.err
    assert variants(tmp_path / "run" / JOINT) == variants(cohort / "germline" / JOINT)


@pytest.mark.parametrize("stack", [("germline-single", "joint")], indirect=True)
def test_single_samples_and_then_their_cohort_on_aws(
    stack: Deployed,
    step_functions: FakeAws,
    cohort: Path,
    tmp_path: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step_functions.batch.run_job = shipped_steps(tmp_path / "scratch")
    header, *lines = [line.split(",") for line in (cohort / "cohort.csv").read_text().splitlines()]
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    for row in rows:
        row |= {name: stack.put(f"reads/{row[name]}", (cohort / row[name]).read_bytes()) for name in header[-2:]}
    sheet = tmp_path / "cohort.csv"
    sheet.write_text("\n".join([",".join(header), *(",".join(row.values()) for row in rows)]) + "\n")

    def submitted(*arguments: str | Path) -> tuple[str, dict[str, int]]:
        """Run on AWS, and return the name of the run and the counts of the submission."""
        ended = cli("submit", *arguments, "--reference", cohort / "reference.fa", "--json")
        assert ended.code == 0, ended.err
        made = json.loads(ended.out)
        step_functions.execution(made["run"]).wait()
        assert json.loads(cli("status", made["run"], "--json").out)["status"] == "SUCCEEDED"
        payloads = [payload_of(job.job) for job in step_functions.batch.jobs.values()]
        assert made["jobs"] == sum(1 for one in payloads if one.run.name == made["run"])
        return made["run"], made

    single, counts = submitted(sheet, "--pipeline", "germline-single")
    assert (counts["samples"], counts["jobs"]) == (3, 6)
    joint, counts = submitted("--pipeline", "joint", "--joint-with", single)
    assert (joint[:6], counts["jobs"]) == ("joint-", 2)
    assert cli("results", joint, "--download", tmp_path / "joint/results").code == 0
    assert variants(tmp_path / "joint" / JOINT) == variants(cohort / "germline" / JOINT)
    places = [(name, f"s3://{stack.bucket}/runs/{single}/results/variant_calling/{name}/{name}") for name in SAMPLES]
    gvcfs = [(name, f"{place}.g.vcf.gz") for name, place in places]
    two, _ = submitted(write_sheet(tmp_path / "two.csv", gvcfs[1:]), "--pipeline", "joint")
    one = write_sheet(tmp_path / "one.csv", gvcfs[:1])
    added, _ = submitted(one, "--pipeline", "joint", "--joint-with", two)
    assert cli("results", added, "--download", tmp_path / "added/results").code == 0
    assert (tmp_path / "added" / JOINT).read_bytes() == (tmp_path / "joint" / JOINT).read_bytes()
    log = stack.s3.get_object(Bucket=stack.bucket, Key=f"runs/{added}/steps/aggregation/00000/log.txt")["Body"].read()
    assert b"\n2 gVCFs of 3 are packed in earlier runs\n" in log
    monkeypatch.setattr(disk, "GIB", 100)  # bytes, so that an interval needs more than it has
    refused = cli(
        "submit", "--reference", cohort / "reference.fa", "--pipeline", "joint", "--joint-with", single, "--dry-run"
    )
    message = "aggregation: expected gVCFs that need at most 100 GiB of a job's disk (disk_gib), found 3 of "
    assert (refused.code, message in refused.err) == (1, True)
    ended = cli("submit", "--reference", cohort / "reference.fa", "--pipeline", "joint")
    assert (ended.code, "error: SHEET: expected a sample sheet, or --joint-with RUN" in ended.err) == (2, True)


def test_reads_are_refused_by_joint_and_gvcfs_by_germline_single(cohort: Path, tmp_path: Path, cli: Cli) -> None:
    options = ("--reference", cohort / "reference.fa", "--out", tmp_path / "run", "--pipeline")
    ended = cli("run", cohort / "cohort.csv", *options, "joint")
    lines = [line for line in ended.err.splitlines() if "the pipeline joint takes gVCFs only" in line]
    lanes = len((cohort / "cohort.csv").read_text().splitlines()) - 1
    assert (ended.code, len(lines)) == (1, 2 * lanes)  # each file
    assert "cohort.csv:2:fastq_1: sample sample1, lane" in lines[0]
    assert "found a FASTQ file; give the sample's gVCF in the column gvcf" in lines[0]
    sheet = write_sheet(tmp_path / "gvcfs.csv", [("sample1", str(gvcf(cohort, "sample1")))])
    ended = cli("run", sheet, *options, "germline-single")
    message = (
        "gvcfs.csv:2:gvcf: the pipeline germline-single has no stage that gathers an output gvcf; "
        "genotype gVCFs with the pipeline joint, or beside reads with germline"
    )
    assert (ended.code, message in ended.err) == (1, True)
    ended = cli("run", *options, "joint")
    assert ended.code == 2
    assert "SHEET: expected a sample sheet, or --joint-with RUN for the gVCFs of a run; found none" in ended.err
    assert not (tmp_path / "run").exists()


def test_given_gvcfs_are_an_input_of_intervals_or_the_cohort_only(tmp_path: Path, cli: Cli) -> None:
    text = (Path(__file__).parents[2] / "pipelines/joint.toml").read_text()
    pipeline = tmp_path / "mine.toml"
    pipeline.write_text(text.replace('scope = "interval"', 'scope = "sample"', 1))
    ended = cli("pipeline", "show", pipeline)
    expected = 'expected an input of type "files" in a stage of scope interval or cohort for "sample.gvcf"'
    assert (ended.code, f'{expected}, found type "files" in scope sample' in ended.err) == (1, True)
