"""Files made with another reference: they are refused by name, and no other sample changes."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysam
import pytest

from tests.runs.small_runs import failure_of, read_files, states, write_sheet
from tests.small_project import SmallProject, stage_toml

Command = Callable[..., subprocess.CompletedProcess[str]]
Run = Callable[..., dict[str, Any]]


GIVEN_DECLARATIONS = """
[inputs.reads]
type = "reads"

[outputs.alignment]
path = "{sample}.given"
indexes = ["bai", "crai"]
"""

GIVEN_PROGRAM = """
import json, shutil, sys
from pathlib import Path
task = json.load(open(sys.argv[1]))
folder, target = Path(task["inputs"]["reads"][0]["fastq_1"]).parent, Path(task["outputs"]["alignment"])
for file in folder.glob("*am*"):
    shutil.copy(file, target.with_name(target.name + (file.suffix if file.suffix in (".bai", ".crai") else "")))
"""

STAGES = (
    stage_toml("alignment", "./given", "given/{sample}", {"reads": "sample.reads"}),
    stage_toml(
        "variant_calling",
        "variant_calling",
        "called/{sample}",
        {"alignment": "alignment.alignment", "reference": "reference"},
    ),
    stage_toml(
        "aggregation",
        "aggregation",
        "joint",
        {"gvcfs": "variant_calling.gvcf", "reference": "reference"},
        scope="interval",
    ),
)


@pytest.fixture(scope="module")
def aligned_runs(cohort: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return runs of one sample with an alignment in each format."""
    folder = tmp_path_factory.mktemp("aligned")
    sheet = write_sheet(folder / "sheet.csv", {"good": read_files(cohort)["sample2"]})
    for form in ("bam", "cram"):
        run(folder / form, "--param", f"alignment.format={form}", sheet=sheet)
    return folder


def test_alignments_of_another_one(
    aligned_runs: Path, cohort: Path, command: Command, project: SmallProject, tmp_path: Path
) -> None:
    # The alignments that somebody else made lie beside the reads.
    project.step("given", GIVEN_PROGRAM, GIVEN_DECLARATIONS)
    pipeline = project.pipeline(*STAGES, settings="tolerated_failure_percentage = 80")
    bam, cram = (aligned_runs / f"{form}/results/preprocessing/good/good.md.{form}" for form in ("bam", "cram"))
    reads = {name: _reads(tmp_path / name) for name in ("good", "strange_contigs", "strange_bases", "cut")}
    for name in ("good", "cut"):
        _rewrite(bam, tmp_path / name / "x.bam", name)
    _rewrite(bam, tmp_path / "strange_contigs/x.bam", "strange_contigs", longer=1)
    other = tmp_path / "other.fa"
    other.write_text((cohort / "reference.fa").read_text().translate(str.maketrans("ACGT", "TGCA")))
    _rewrite(cram, tmp_path / "strange_bases/x.cram", "strange_bases", own=cohort, reference=other)
    whole = (tmp_path / "cut/x.bam").read_bytes()
    (tmp_path / "cut/x.bam").write_bytes(whole[: len(whole) // 2])

    sheet = write_sheet(tmp_path / "sheet.csv", reads)
    reference, out = cohort / "reference.fa", tmp_path / "run"
    options = ("--reference", reference, "--out", out, "--pipeline", pipeline, "--json")
    ended = command("run", sheet, *options)
    assert ended.returncode == 1, ended.stderr
    bad = dict.fromkeys(("strange_contigs", "strange_bases", "cut"), "FAILED")
    assert states(json.loads(ended.stdout)) == {"good": "SUCCEEDED", **bad}
    given = {name: out / f"results/given/{name}/{name}.given" for name in reads}
    messages = {name: failure_of(out, "variant_calling", name) for name in bad}
    assert {found for found, _ in messages.values()} == {"bad_input"}
    assert messages["strange_contigs"][1] == (
        f"{given['strange_contigs']}: expected contigs of {reference}, found chr1 of 7201 bp, which it lacks"
    )
    assert messages["cut"][1] == (
        f"{given['cut']}: expected a BAM or CRAM file, found one that is cut off or of another kind"
    )
    start = f"{given['strange_bases']}: expected reads aligned to {reference}, found those of another chr1: "
    assert messages["strange_bases"][1].splitlines()[-1].startswith(start)


def _reads(folder: Path) -> tuple[Path, Path]:
    folder.mkdir()
    for mate in (1, 2):
        (folder / f"R{mate}.fastq").write_text("@r\nA\n+\nI\n")
    return folder / "R1.fastq", folder / "R2.fastq"


def _rewrite(
    source: Path,
    target: Path,
    sample: str,
    longer: int = 0,
    own: Path | None = None,
    reference: Path | None = None,
) -> None:
    """Write alignments with another sample's name, or as of other contigs or bases."""
    with pysam.AlignmentFile(str(source), reference_filename=str(own / "reference.fa") if own else None) as reads:
        header = reads.header.to_dict()
        header["RG"] = [{**group, "SM": sample} for group in header["RG"]]
        header["SQ"] = [{"SN": row["SN"], "LN": row["LN"] + longer} for row in header["SQ"]]
        mode = "wc" if target.suffix == ".cram" else "wb"
        with pysam.AlignmentFile(
            str(target), mode, header=header, reference_filename=str(reference) if reference else None
        ) as out:
            for read in reads:
                out.write(pysam.AlignedSegment.from_dict(read.to_dict(), out.header))
    pysam.samtools.index(str(target))


def test_regions_of_another_one_before_anything_runs(cohort: Path, command: Command, tmp_path: Path) -> None:
    bed = tmp_path / "panel.bed"
    bed.write_text("chr1\t0\t500\nchr21\t0\t500\n")
    sheet = write_sheet(tmp_path / "sheet.csv", {"one": read_files(cohort)["sample2"]})
    options = ("--reference", cohort / "reference.fa", "--out", tmp_path / "run", "--json")
    ended = command("run", sheet, *options, "--param", f"variant_calling.regions={bed}")
    message = (
        "parameter variant_calling.regions: expected a contig of the reference, found 'chr21'; did you mean 'chr2'?"
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", f"error: {bed}:2: {message}\n")
    assert not (tmp_path / "run/steps").exists()


def test_an_index_of_another_one_before_anything_runs(cohort: Path, command: Command, tmp_path: Path) -> None:
    shutil.copy(cohort / "reference.fa", tmp_path)
    pysam.faidx(str(tmp_path / "reference.fa"))
    fai = tmp_path / "reference.fa.fai"
    fai.write_text(fai.read_text().replace("chr1\t", "1\t"))
    options = ("--reference", tmp_path / "reference.fa", "--out", tmp_path / "run", "--json")
    ended = command("run", cohort / "cohort.csv", *options)
    assert (ended.returncode, ended.stdout) == (1, "")
    message = "expected the index of reference.fa, found '1' where the file has no such sequence"
    assert ended.stderr == f"error: {fai}: {message}; remove it, and it is built anew\n"
    assert not (tmp_path / "run/steps").exists()
