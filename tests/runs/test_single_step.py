"""`genomics-pipeline step`: one step on files given on the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pysam
import pytest

from genomics_pipeline.runs.catalog import step_names

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def aligned_folder(command: Command, cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("step") / "out"
    ended = command("step", "alignment", *reads(cohort), "--reference", cohort / "reference.fa", "--out", out)
    assert ended.returncode == 0, ended.stderr
    return out


def reads(cohort: Path) -> list[Path]:
    return [next((cohort / "fastq").glob(f"sample2*_R{which}*")) for which in (1, 2)]


def test_alignment_of_two_files(aligned_folder: Path) -> None:
    with pysam.AlignmentFile(str(aligned_folder / "results/sample2.md.bam")) as bam:
        assert bam.mapped > 0
    assert json.loads((aligned_folder / "results/sample2.alignment.json").read_text())["reads"] > 0


def test_the_same_again_is_found_done(command: Command, aligned_folder: Path, cohort: Path) -> None:
    ended = command(
        "step", "alignment", *reads(cohort), "--reference", cohort / "reference.fa", "--out", aligned_folder, "--json"
    )
    outcome = json.loads(ended.stdout)
    assert (outcome["step"], outcome["item"], outcome["reused"]) == ("alignment", "sample2", True)
    assert outcome["metrics"]["mapped_fraction"] > 0.9


def test_the_chain_of_steps_ends_in_a_joint_vcf(
    command: Command, aligned_folder: Path, cohort: Path, tmp_path: Path
) -> None:
    reference = ["--reference", cohort / "reference.fa"]
    for step, file in (
        ("variant_calling", aligned_folder / "results/sample2.md.bam"),
        ("aggregation", tmp_path / "variant_calling/results/sample2.g.vcf.gz"),
        ("gather", tmp_path / "aggregation/results/joint_germline.00000.vcf.gz"),
    ):
        ended = command("step", step, file, *reference, "--out", tmp_path / step)
        assert ended.returncode == 0, ended.stderr
    with pysam.VariantFile(str(tmp_path / "gather/results/joint_germline.vcf.gz")) as joint:
        assert list(joint.header.samples) == ["sample2"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["nothing"],
            1,
            f"error: unknown step 'nothing'; known: {', '.join(step_names())}; ",
        ),
        (["alignment"], 2, "error: step alignment, input reads: expected a file, found none\n"),
        (
            ["alignment", "a.fq", "b.fq", "c.fq"],
            2,
            "error: step alignment, input reads: expected one FASTQ file or a pair, found 3; ",
        ),
        (["alignment", "a.fq"], 2, "error: step alignment needs a reference: --reference REF.fa\n"),
        (
            ["alignment", "a.fq", "--param", "formt=cram", "--param", "format"],
            2,
            "error: --param formt=cram: unknown parameter 'formt' of alignment; did you mean 'format'?\n"
            "error: --param format: expected NAME=VALUE, such as ploidy=1\n",
        ),
        (["alignment", "--input", "red=a.fq"], 2, "error: --input red=a.fq: expected NAME=FILE with an input of "),
    ],
)
def test_unsuitable_files_are_reported(
    command: Command, arguments: list[str], code: int, message: str, tmp_path: Path
) -> None:
    ended = command("step", *arguments, "--out", tmp_path / "out")
    assert ended.returncode == code
    assert ended.stderr.startswith(message)
    assert "Traceback" not in ended.stderr


def test_a_bam_without_index_is_reported(command: Command, aligned_folder: Path, cohort: Path, tmp_path: Path) -> None:
    bam = tmp_path / "alone.bam"
    bam.write_bytes((aligned_folder / "results/sample2.md.bam").read_bytes())
    out = tmp_path / "out"
    ended = command("step", "variant_calling", bam, "--reference", cohort / "reference.fa", "--out", out)
    assert ended.returncode == 1
    indexes = f"{bam}.bai or {bam}.crai or {bam}.csi"
    expected = f"error: variant_calling: {bam}: expected its index beside it ({indexes}), found none\n"
    assert ended.stderr == expected
