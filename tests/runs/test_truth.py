"""Truth sets: their checks before the first job, and runs that have ended whatever their comparison does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.cli.main import main
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.runs.truth import TruthSet, parse_truth, truth_content_problems, truth_file_problems
from genomics_pipeline.stores.local import LocalStore
from tests.small_project import READS, SmallProject, stage_toml

Command = Callable[..., subprocess.CompletedProcess[str]]
# The reference of small projects: chr1, ACGTACGTAC.
HEADER = "##fileformat=VCFv4.2\n{contigs}##FORMAT=<ID=GT,Number=1,Type=String,Description=GT>\n"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
CHR1 = "##contig=<ID=chr1,length=10>\n"


def vcf(path: Path, samples: str, *records: str, contigs: str = CHR1) -> Path:
    lines = [COLUMNS + "\t".join(samples.split()), *("\t".join(record.split()) for record in records)]
    path.write_text(HEADER.format(contigs=contigs) + "\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("names", "regions", "truth", "messages"),
    [
        (
            ["a"],
            None,
            True,
            ["--truth-sample a: expected A=B, the sample A of the run and its name B in the truth VCF"],
        ),
        (["=b", "a="], None, True, ["--truth-sample =b: expected A=B", "--truth-sample a=: expected A=B"]),
        (["a=b"], None, False, ["--truth-sample: expected --truth with it"]),
        ([], Path("x.bed"), False, ["--truth-regions: expected --truth with it"]),
    ],
)
def test_options_that_mean_nothing(names: list[str], regions: Path | None, truth: bool, messages: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        parse_truth(Path("t.vcf") if truth else None, names, regions)
    assert [one.message[: len(text)] for one, text in zip(refused.value.problems, messages, strict=True)] == messages


@pytest.mark.parametrize(
    ("there", "names", "messages"),
    [
        ("a b", {}, []),
        ("b", {}, []),
        ("HG001", {"a": "HG001"}, []),
        ("HG001", {}, ["expected samples of the run (a, b), found HG001; name them: --truth-sample a=HG001"]),
        ("HG001", {"a": "HG002"}, ["a=HG002: no such sample in", "expected samples of the run (a, b), found HG001"]),
        ("a", {"q": "a"}, ["--truth-sample q=a: no such sample; known: a, b"]),
    ],
)
def test_names_of_samples(tmp_path: Path, there: str, names: dict[str, str], messages: list[str]) -> None:
    truth = TruthSet(vcf(tmp_path / "truth.vcf", there), names)
    found = [str(one) for one in truth_file_problems(truth, ["a", "b"], LocalStore())]
    assert len(found) == len(messages)
    assert all(message in one for message, one in zip(messages, found, strict=True)), found


@pytest.mark.parametrize("text", ["", "no vcf\n", ">chr1\nACGT\n", "\x1f\x8b\x08", "##fileformat=VCFv4.2\n"])
def test_a_truth_that_is_no_vcf(tmp_path: Path, text: str) -> None:
    (tmp_path / "truth.vcf").write_text(text, "latin-1")
    (found,) = truth_file_problems(TruthSet(tmp_path / "truth.vcf"), ["a"], LocalStore())
    assert str(found).startswith(f"{tmp_path}/truth.vcf: --truth ")


@pytest.mark.parametrize(
    ("contigs", "bed", "messages"),
    [
        (CHR1, None, []),
        ("", None, []),
        ("##contig=<ID=chr1>\n", "chr1\t0\t10\n", []),
        (CHR1 + "##contig=<ID=chrUn,length=7>\n", None, []),
        ("##contig=<ID=1,length=10>\n", None, ["--truth: expected contigs of the reference (chr1), found 1"]),
        (
            "##contig=<ID=chr1,length=9>\n",
            "chr1\t0\t11\n",
            [
                "--truth: expected contig chr1 of 10 bp as in the reference, found 9 bp",
                "--truth-regions: expected 0 <= start < end <= 10, the length of chr1, found 0 and 11",
            ],
        ),
    ],
)
def test_contigs(tmp_path: Path, contigs: str, bed: str | None, messages: list[str]) -> None:
    regions = None if bed is None else tmp_path / "r.bed"
    if regions is not None and bed is not None:
        regions.write_text(bed)
    truth = TruthSet(vcf(tmp_path / "truth.vcf", "a", contigs=contigs), {}, regions)
    assert [one.message for one in truth_content_problems(truth, LocalStore(), {"chr1": 10})] == messages


CALL = """
import json, sys
task = json.load(open(sys.argv[1]))
open(task["outputs"]["vcf"], "w").write(HEADER)
"""
DECLARATIONS = """
[inputs.reads]
type = "reads"
[outputs.out]
path = "{sample}.txt"
[inputs.reference]
type = "reference"
indexes = ["fai"]
"""
JOINT = """
[inputs.parts]
type = "files"
[outputs.vcf]
path = "joint.vcf"
"""


@pytest.fixture
def here(project: SmallProject, tmp_path: Path) -> SmallProject:
    text = vcf(tmp_path / "calls.vcf", "a", "chr1 2 . C T . PASS . GT 0/1").read_text()
    project.step("count", 'import json,sys\nopen(json.load(open(sys.argv[1]))["outputs"]["out"], "w")', DECLARATIONS)
    project.step("joint", CALL.replace("HEADER", repr(text)), JOINT)
    project.pipeline(
        stage_toml("count", "./count", "counts", {"reads": "sample.reads", "reference": "reference"}),
        stage_toml("joint", "./joint", "joint", {"parts": "count.out"}, scope="cohort"),
    )
    project.samples({"a": READS})
    return project


def record(here: SmallProject) -> dict[str, Any]:
    text: dict[str, Any] = json.loads((here.run / "run.json").read_text())
    return text


def test_a_comparison_by_other_names_and_in_regions(here: SmallProject, command: Command) -> None:
    truth = vcf(here.folder / "t.vcf", "HG1", "chr1 2 . C T . PASS . GT 0/1", "chr1 6 . C T . PASS . GT 0/1")
    (here.folder / "r.bed").write_text("chr1\t0\t5\n")
    options: list[str | Path] = ["--truth", truth, "--truth-sample", "a=HG1", "--truth-regions", here.folder / "r.bed"]
    ended = command(*here.arguments("--json", *options))
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["cohort"]["truth"]["snp"] == {
        "truth": 1,
        "found": 1,
        "calls": 1,
        "sensitivity": 1.0,
        "precision": 1.0,
    }
    assert record(here)["summary"]["cohort"]["truth"]["snp"]["truth"] == 1


def test_a_truth_of_another_reference_fails_the_comparison_and_not_the_run(
    here: SmallProject, command: Command
) -> None:
    truth = vcf(here.folder / "t.vcf", "a", "chr1 2 . G T . PASS . GT 0/1")
    ended = command(*here.arguments("--truth", truth))
    message = f"{truth}: expected a VCF of the same reference, found REF G at chr1:2, where the reference has C"
    assert ended.returncode == 1
    assert f"not compared with truth: {message}\n" in ended.stdout
    assert record(here)["status"] == "SUCCEEDED"
    assert record(here)["summary"]["cohort"]["truth_error"] == message
    assert command("status", here.run).returncode == 0


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (RuntimeError("a bug"), 1), (OSError(28, "full"), 1)]
)
@pytest.mark.parametrize("place", ["runs.truth.agreement", "runs.local.checked_run.write_pipeline_info"])
def test_a_run_that_has_ended_stays_so(
    here: SmallProject, monkeypatch: pytest.MonkeyPatch, place: str, error: BaseException, code: int
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(f"genomics_pipeline.{place}", fail)
    truth = vcf(here.folder / "t.vcf", "a", "chr1 2 . C T . PASS . GT 0/1")
    with pytest.raises(SystemExit) as ended:
        main(here.arguments("--truth", truth))
    assert ended.value.code == code
    assert (record(here)["status"], record(here)["summary"]["complete"]) == ("SUCCEEDED", True)
    with pytest.raises(SystemExit) as shown:
        main(["status", str(here.run)])
    assert not shown.value.code
