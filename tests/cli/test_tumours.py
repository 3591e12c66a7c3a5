"""Samples of tumours, which a pipeline of germline variants refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import FASTA, Ended
from tests.fakes.deployed import Deployed
from tests.small_project import COPY, COPY_DECLARATIONS, SmallProject, stage_toml

Cli = Callable[..., Ended]


def test_each_tumour_is_named_before_the_first_job(reads: Callable[..., Path], tmp_path: Path, cli: Cli) -> None:
    for name in "NT":
        reads(f"{name}.fastq", "r1")
    (tmp_path / "x.fa").write_text(FASTA)
    sheet = tmp_path / "pair.csv"
    sheet.write_text("patient,sample,status,fastq_1\nP,N,0,N.fastq\nP,T,1,T.fastq\nQ,U,1,none.fastq\n")
    ended = cli("run", sheet, "--reference", "x.fa", "--out", "run")
    expected = (
        "expected status 0 (normal) for germline variants (pipeline germline), found 1 (tumour); its calls assume"
    )
    found = [line for line in ended.err.splitlines() if "tumour" in line]
    assert ended.code == 1
    assert [line.partition(" one or two copies")[0] for line in found] == [
        f"error: {sheet}:3:status: T: {expected}",
        f"error: {sheet}:4:status: U: {expected}",
    ]
    assert "call it with a somatic caller, or set status to 0" in found[0]
    assert not (tmp_path / "run/steps").exists()
    assert cli("run", sheet, "--reference", "x.fa", "--out", "run", "--sample", "N", "--dry-run").code == 0


def test_a_run_on_aws_refuses_them_too(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    sheet = tmp_path / "pair.csv"
    sheet.write_text(f"sample,status,fastq_1\nT,1,{stack.put('reads/T.fastq')}\n")
    ended = cli("submit", sheet, "--reference", reference, "--dry-run")
    assert ended.code == 1
    assert f"{sheet}:2:status: T: expected status 0 (normal)" in ended.err


def test_another_pipeline_takes_them(project: SmallProject, cli: Cli) -> None:
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}))
    sheet = project.folder / "pair.csv"
    (project.folder / "T.fastq").write_text("@r\nA\n+\nF\n")
    sheet.write_text("sample,status,fastq_1\nT,1,T.fastq\n")
    pipeline = project.folder / "pipeline.toml"
    options = ("--reference", project.folder / "reference.fa", "--out", project.run, "--pipeline", pipeline)
    assert cli("run", sheet, *options).code == 0
